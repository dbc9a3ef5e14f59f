"""deploy/compose.yaml, run: case C-1 on one machine, by the commands that its first lines tell.

The images of Kafka, the registry and Postgres come from a public registry, which a test does not ask: the embedded
stack stands in for these three, behind an override that gives every service the addresses of this machine. All
else, setup, keys, processors and commands, is as in the file. `GUARD_TEST_IMAGE` is as in test_image.py.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.charts import ROOT
from examples.containers import environment, podman, under_test
from examples.ground import eventually

from processors.embedded import Addresses, Stack
from processors.embedded.ports import HOST, free_port
from processors.embedded.registry import serves

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

FILE = ROOT / "deploy" / "compose.yaml"
SERVERS = ("kafka", "registry", "postgres")
PROCESSORS = ("checker", "exception-workflow", "ledger", "staleness", "relay")
RESET = "taken-away"
"""Podman 4 starts nothing that depends on what has ended, as setup has by then: the test itself waits for it."""


@dataclass
class Composed:
    folder: Path
    project: str
    image: str
    health: dict[str, int]

    def do(self, *words: str, code: int = 0) -> str:
        """A command of podman-compose; what it wrote to stdout."""
        files = ["--file", str(FILE), "--file", str(self.folder / "override.yaml")]
        done = subprocess.run(
            [_podman_compose(), "--project-name", self.project, "--profile", "tool", *files, *words],
            env=environment(self.folder), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def override(self, addresses: Addresses) -> None:
        """The servers do nothing but lend the machine's network; everybody else finds the embedded ones there."""
        services: dict[str, Any] = {name: self._server() for name in SERVERS}
        for name, service in yaml.safe_load(FILE.read_text())["services"].items():
            if "GUARD_KAFKA__BOOTSTRAP" in service.get("environment", {}):
                services[name] = {
                    "image": self.image,
                    "environment": {
                        "GUARD_KAFKA__BOOTSTRAP": addresses.bootstrap,
                        "GUARD_REGISTRY__URL": addresses.registry,
                        "GUARD_POSTGRES__URL": addresses.postgres,
                        "GUARD_HEALTH_HOST": HOST,
                        "GUARD_HEALTH_PORT": str(self.health.get(name, 0)),
                    },
                }
        for name in PROCESSORS:
            services[name]["depends_on"] = RESET
        services["tool"]["volumes"] = [f"{ROOT / 'scripts' / 'demo.plugins'}:/plugins:ro"]
        text = yaml.safe_dump({"services": services}).replace(f"depends_on: {RESET}", "depends_on: !reset null")
        (self.folder / "override.yaml").write_text(text)

    def _server(self) -> dict[str, Any]:
        idle = {"image": self.image, "entrypoint": ["sleep"], "command": ["infinity"], "network_mode": "host"}
        return idle | {"healthcheck": {"test": ["CMD", "true"]}}


def _podman_compose() -> str:
    """Those before 1.1, as in Debian 12, know no profiles."""
    found = shutil.which("podman-compose")
    if found is None or "--profile" not in subprocess.check_output([found, "--help"], text=True):
        pytest.skip("there is no podman-compose 1.1 or newer on this machine: pip install it")
    return found


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    with tempfile.TemporaryDirectory(prefix="compat-guard-test-") as name:
        image, folder = under_test(Path(name)), Path(name)
        _podman_compose()
        made = Composed(folder, f"guard-{uuid.uuid4().hex[:8]}", image, {name: free_port() for name in PROCESSORS})
        with Stack(folder / "stack") as stack:
            made.override(stack.addresses)
            try:
                made.do("up", "--detach", "setup")
                assert podman(folder, "wait", f"{made.project}_setup_1").strip() == "0", made.do("logs", "setup")
                made.do("up", "--detach", *PROCESSORS)
                for port in made.health.values():
                    eventually(lambda port=port: serves(f"http://{HOST}:{port}/readyz"), 120)
                made.do("run", "--rm", "tool", "matrix", "publish", "/samples/compat_matrix.yaml")
                yield made
            finally:
                made.do("down", "--volumes", "--timeout", "60")


def test_case_c1_is_blocked(composed: Composed) -> None:
    """The sample's plugin needs a newer host than the one it is asked for: the command ends with 1."""
    asked = ("request", "--manifest", "/plugins/inventory-sync-1.5.0.yaml", "--host", "corex@1.9.0")
    composed.do("run", "--rm", "tool", *asked, "--timeout", "60", code=1)


def test_doctor_finds_nothing_wrong(composed: Composed) -> None:
    """It ends with 0, as long as it is asked within the day that the sample matrix holds."""
    composed.do("run", "--rm", "tool", "doctor")
