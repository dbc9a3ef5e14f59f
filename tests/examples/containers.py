"""An installation whose every process is a container of one image, on the protected broker.

Each runs as a cluster would run it: under a principal of its own, as nobody, with a root file system that is
read-only and no place in memory to write to, without capabilities. Podman does it, because it needs no daemon.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from examples.charts import ROOT
from examples.exceptions import public_jwk
from examples.ground import eventually
from examples.protected import FAR, Protected

from processors.bootstrap.seal_keys import new_seals, render_seals
from processors.configuration.settings import shipped
from processors.embedded.ports import HOST, free_port
from processors.embedded.registry import serves
from processors.ledger.keys import new_keys, write_keys
from processors.trust.keys import new_signing_key, public_half

BASE = "localhost/compat-guard-base"
TAG = "localhost/compat-guard:under-test"
PROGRAMS = ("podman", "runc", "mmdebstrap")
ETC = "/etc/compat-guard"

OWNED = "uid=65532,gid=65532,mode=0400"
"""Whose a secret is in a container: the image's user's, and nobody else's."""

ENGINE = """
[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
"""
"""runc, because crun refuses machines that have both versions of cgroups; and low limits, because podman's own are
above what some machines give to root."""


def under_test(folder: Path) -> str:
    """The image that `GUARD_TEST_IMAGE` names; `build` builds one as a release does, on a base made here.

    Skips the test where the variable is not set, or a program is missing.
    """
    chosen = os.environ.get("GUARD_TEST_IMAGE")
    if not chosen:
        pytest.skip("GUARD_TEST_IMAGE=build builds the image and runs it, which takes minutes; or names one to run")
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        pytest.skip(f"not on this machine: {', '.join(missing)}; apt-get install {' '.join(PROGRAMS)}")
    return _built(folder) if chosen == "build" else chosen


def podman(folder: Path, *words: str, code: int = 0) -> str:
    """What a command of podman writes to stdout, and to stderr where it was to fail with 2."""
    done = subprocess.run(
        [_podman(), *words], env=environment(folder), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == code, f"{words[-4:]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stderr if code == 2 else done.stdout


def _podman() -> str:
    return shutil.which("podman") or "podman"


def environment(folder: Path) -> dict[str, str]:
    engine = folder / "containers.conf"
    engine.write_text(ENGINE)
    return {**os.environ, "CONTAINERS_CONF": str(engine)}


def _built(folder: Path) -> str:
    """By the commands of deploy/RELEASING.md. A base that was made once is used again."""
    dist = folder / "dist"
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(dist)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    shutil.copy(ROOT / "requirements.txt", dist)
    variables = environment(folder) | {
        "BUILDER": "podman", "BUILD_OPTIONS": "--network=host", "BASE": BASE, "TAG": TAG,
    }  # fmt: skip
    commands = [[str(ROOT / "scripts" / "release"), "image", str(dist)]]
    if subprocess.run([_podman(), "image", "exists", BASE], check=False).returncode:
        commands.insert(0, [str(ROOT / "scripts" / "base-image"), BASE])
    for command in commands:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return TAG


class Containers:
    """Use it inside `ready`. What it keeps secret lies with podman, and only while it is used."""

    def __init__(self, image: str, broker: Protected) -> None:
        self.image, self.broker, self._run_id = image, broker, uuid.uuid4().hex[:8]
        self.folder = broker.folder / "containers"
        self.folder.mkdir()
        self._secrets: set[str] = set()
        self.health: dict[str, str] = {}
        """By the name of a processor, where it tells how it is."""

    @contextmanager
    def ready(self) -> Iterator[Containers]:
        """With configuration and keys, as whoever installs the guard makes them."""
        config = self.folder / "config"
        shutil.copytree(shipped("config"), config)
        publisher = self.folder / "publisher.json"
        publisher.write_text(new_signing_key("governance"))
        _trust(config, public_half(publisher.read_bytes()))
        seals, ledger, postgres = (self.folder / name for name in ("seals.json", "keys.json", "postgres"))
        seals.write_text(render_seals(new_seals()))
        write_keys(ledger, new_keys())
        postgres.write_text(self.broker.addresses.postgres)
        try:
            for file in (publisher, seals, ledger, postgres):
                self._keep(file.name, file)
            yield self
        finally:
            podman(self.folder, "secret", "rm", *(self._named(name) for name in self._secrets))

    def run(self, user: str, *words: str, code: int = 0, mounts: Mapping[str, Path] | None = None) -> str:
        """`compat-guard` in a container under a principal, until it ends."""
        more = [word for at, path in (mounts or {}).items() for word in ("--volume", f"{path}:{at}:ro")]
        return podman(self.folder, "run", "--rm", *self._as(user), *more, self.image, *words, code=code)

    @contextmanager
    def processors(self, *names: str) -> Iterator[None]:
        """Each in a container of its own, under its own principal, until all are ready; stopped in good order."""
        with ExitStack() as closing:
            for name in names:
                port = free_port()
                self.health[name] = f"http://{HOST}:{port}"
                words = ("--detach", "--name", self._named(name), "--env", f"GUARD_HEALTH_PORT={port}")
                podman(self.folder, "run", *words, *self._as(name), self.image, "run", name)
                closing.callback(podman, self.folder, "rm", "--force", self._named(name))
            for name in names:
                eventually(lambda name=name: serves(f"{self.health[name]}/readyz") or self._running(name), 120)
            yield

    def inside(self, name: str, program: str) -> str:
        """What a program in Python writes that is run in the container of a processor."""
        return podman(self.folder, "exec", self._named(name), "python3", "-c", program)

    def stop(self, name: str) -> int:
        """As an orchestrator does. Returns the exit code of the processor."""
        podman(self.folder, "stop", "--time", "60", self._named(name))
        return int(podman(self.folder, "inspect", "--format", "{{.State.ExitCode}}", self._named(name)))

    def _running(self, name: str) -> bool:
        """Raises for one that has given up, with what it said; else it is not ready yet."""
        state = podman(self.folder, "inspect", "--format", "{{.State.Running}}", self._named(name)).strip()
        assert state == "true", podman(self.folder, "logs", self._named(name))
        return False

    def _as(self, user: str) -> list[str]:
        """What surrounds every container: its rights, its settings, and the secrets of its principal."""
        if f"{user}.password" not in self._secrets:
            self._keep(f"{user}.password", self.broker.password_file(user))
        bootstrap = f"{FAR}:{self.broker.addresses.bootstrap.rpartition(':')[2]}"
        settings = {
            "GUARD_KAFKA__BOOTSTRAP": bootstrap,
            "GUARD_KAFKA__SECURITY": "SASL_SSL",
            "GUARD_KAFKA__USERNAME": user,
            "GUARD_KAFKA__PASSWORD_FILE": f"{ETC}/secrets/{user}.password",
            "GUARD_KAFKA__CA": f"{ETC}/ca.pem",
            "GUARD_REGISTRY__URL": self.broker.addresses.registry,
            "GUARD_POSTGRES__URL_FILE": f"{ETC}/secrets/postgres",
            "GUARD_SEAL__KEY_FILE": f"{ETC}/secrets/seals.json",
            "GUARD_LEDGER__KEYS": f"{ETC}/secrets/keys.json",
            "GUARD_CONFIG": f"{ETC}/config",
            "GUARD_HEALTH_HOST": HOST,
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        return [
            *("--network", "host", "--add-host", f"{FAR}:{HOST}", "--pull", "never"),
            *("--read-only", "--read-only-tmpfs=false", "--cap-drop", "all"),
            *("--security-opt", "no-new-privileges"),
            *(
                "--volume",
                f"{self.folder / 'config'}:{ETC}/config:ro",
                "--volume",
                f"{self.broker.ca}:{ETC}/ca.pem:ro",
            ),
            *(word for name, value in settings.items() for word in ("--env", f"{name}={value}")),
            *(
                word
                for name in (f"{user}.password", "seals.json", "keys.json", "postgres", "publisher.json")
                for word in ("--secret", f"{self._named(name)},target={ETC}/secrets/{name},{OWNED}")
            ),
        ]

    def _keep(self, name: str, file: Path) -> None:
        podman(self.folder, "secret", "create", self._named(name), str(file))
        self._secrets.add(name)

    def _named(self, name: str) -> str:
        return f"{self._run_id}-{name}"


def _trust(config: Path, governance: Mapping[str, str]) -> None:
    """Nobody's word counts but governance's on the matrix, and that of an approval service on exceptions."""
    (config / "governance.jwks.json").write_text(json.dumps({"keys": [governance]}))
    (config / "approvals.jwks.json").write_text(json.dumps({"keys": [public_jwk("tool-1")]}))
    guard, workflow = config / "guard.yaml", config / "exception_workflow.yaml"
    told = yaml.safe_load(guard.read_text())
    told["trust"] = {"sources": [{"name": "governance", "keys": "governance.jwks.json", "required": True}]}
    guard.write_text(yaml.safe_dump(told))
    policy = yaml.safe_load(workflow.read_text())
    policy["proof"]["issuers"] = [
        {
            "issuer": "https://approvals.test",
            "kinds": ["SERVICE_JWS"],
            "audience": "compat-guard",
            "jwks": "approvals.jwks.json",
        }
    ]
    workflow.write_text(yaml.safe_dump(policy))
