"""A whole installation of its own: the servers, the topics, every processor in its process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from examples import commands
from examples.ground import eventually

from processors.bootstrap.processors import PROCESSORS
from processors.bootstrap.supervisor import health_ports
from processors.configuration.settings import KafkaSettings, PostgresSettings, RegistrySettings, Settings, shipped
from processors.embedded import Stack
from processors.embedded.ports import free_port
from processors.embedded.registry import serves
from processors.ledger.database import migrate
from processors.ledger.keys import new_keys, write_keys

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


class Installation:
    """Use it inside `running`. `config` is a copy of the shipped folder, to be changed at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.log = folder / "processors.log"
        shutil.copytree(shipped("config"), self.config)

    @contextmanager
    def running(self, registry: str | None = None) -> Iterator[Installation]:
        """On servers of its own; `registry` names that of other servers, where it may be shared."""
        with ExitStack() as closing:
            addresses = closing.enter_context(Stack(self.folder / "stack", registry=registry)).addresses
            migrate(addresses.postgres)
            write_keys(self.folder / "keys.json", new_keys())
            self.first_port = free_port(following=len(PROCESSORS))
            self.environment = {
                **os.environ,
                "GUARD_KAFKA__BOOTSTRAP": addresses.bootstrap,
                "GUARD_REGISTRY__URL": addresses.registry,
                "GUARD_POSTGRES__URL": addresses.postgres,
                "GUARD_CONFIG": str(self.config),
                "GUARD_LEDGER__KEYS": str(self.folder / "keys.json"),
                "GUARD_HEALTH_PORT": str(self.first_port),
            }
            self.of = Settings(
                kafka=KafkaSettings(bootstrap=addresses.bootstrap),
                registry=RegistrySettings(url=addresses.registry),
                postgres=PostgresSettings(url=addresses.postgres),  # type: ignore[arg-type]
                config=self.config,
            )
            self.run("topics", "apply")
            yield self

    @contextmanager
    def processors(self) -> Iterator[Mapping[str, str]]:
        """All of them, until the block ends; their health addresses by name."""
        targets = {
            name: f"127.0.0.1:{port}" for name, port in health_ports(list(PROCESSORS), self.first_port).items()
        }
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "processors.cli", "run", "all"]
            process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            for target in targets.values():
                eventually(lambda target=target: process.poll() is None and serves(f"http://{target}/readyz"), 60)
            yield targets
        finally:
            process.terminate()
            process.wait(60)

    def restart(self, name: str) -> None:
        """End one processor as an orchestrator would, and wait for its successor."""
        port = health_ports(list(PROCESSORS), self.first_port)[name]
        (old,) = (
            p.pid for p in psutil.net_connections("tcp") if p.status == psutil.CONN_LISTEN and p.laddr.port == port
        )
        os.kill(old or 0, signal.SIGKILL)
        eventually(lambda: not psutil.pid_exists(old or 0) and serves(f"http://127.0.0.1:{port}/readyz"), 60)

    def run(self, *arguments: str, code: int | Collection[int] = 0) -> str:
        """A command of ours; what it wrote to stdout."""
        done = commands.run(*arguments, environment=self.environment)
        assert done.returncode in ({code} if isinstance(code, int) else code), (
            f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *arguments: str, code: int | Collection[int] = 0) -> Any:
        return json.loads(self.run(*arguments, "--output", "json", code=code))

    def lines(self) -> list[dict[str, Any]]:
        """What the processors have logged."""
        text = self.log.read_text("utf-8") if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
