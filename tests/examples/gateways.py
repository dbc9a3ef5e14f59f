"""Gateways as processes, beside the processors that they ask, and an identity provider that they ask for keys."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import trustme
import yaml
from examples import commands, web
from examples.ground import eventually
from examples.issuers import AUDIENCE, ISSUER, jwks, token

from processors.cli.demo.commands import environment_of
from processors.configuration.settings import shipped
from processors.embedded import Addresses
from processors.embedded.ports import free_port
from processors.gateway.signing import make_signing_keys

ROOT = Path(__file__).parents[2]
WRONG_CLOCK = ROOT / "tests" / "hostile" / "wrong_clock.py"
PLUGINS = ROOT / "scripts" / "demo.plugins"
CHECK = "/internal/version/compat/check"

ROLES = {
    "requester": [{"claim": "groups", "any_of": ["deployer"]}],
    "approver": [{"claim": "groups", "any_of": ["approver"]}],
    "reader": [{"claim": "groups", "any_of": ["reader", "deployer"]}],
    "auditor": [{"claim": "groups", "any_of": ["auditor"]}],
    "operator": [{"claim": "groups", "any_of": ["operator"]}],
}


class Provider:
    """Publishes its keys over https, for as long as it is used as a context. `answer` is what it gives now, unless
    `redirect` sends those who ask elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.asked = 0
        self.answer = jwks()
        self.redirect: str | None = None
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "provider-ca.pem"))
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                self.send_response(200 if provider.redirect is None else 302)
                if provider.redirect is not None:
                    self.send_header("Location", provider.redirect)
                self.send_header("Content-Length", str(len(provider.answer)))
                self.end_headers()
                with suppress(OSError):  # whoever asked may have had enough of it
                    self.wfile.write(provider.answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}/keys"

    def __enter__(self) -> Provider:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Replica:
    """One gateway in a process of its own. `ahead` is how many milliseconds its clock is fast."""

    def __init__(self, environment: dict[str, str], log: Path, port: int | None = None, *, ahead: int = 0) -> None:
        self.port, self._health, self._ahead = port or free_port(), free_port(), ahead
        self._log = log.open("ab")
        self._environment = environment | {
            "GUARD_GATEWAY__PORT": str(self.port),
            "GUARD_HEALTH_PORT": str(self._health),
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.process: subprocess.Popen[bytes] | commands.Started
        if not self._ahead:
            self.process = commands.start("run", "gateway", environment=self._environment, log=self._log)
            return
        command = [sys.executable, str(WRONG_CLOCK), str(self._ahead), "-m", "processors.cli", "run", "gateway"]
        self.process = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log)

    def ready(self) -> bool:
        try:
            return web.get(f"http://127.0.0.1:{self._health}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def metrics(self) -> str:
        return web.get(f"http://127.0.0.1:{self._health}/metrics").text

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(60)
        self._log.close()
        return code


class Edge:
    """A stack with the guard on it, and gateways in front. `environment` is what all its processes run under."""

    checker: subprocess.Popen[bytes]

    def __init__(self, stack: Addresses, folder: Path, provider: Provider) -> None:
        self.stack, self.provider, self.folder, self._closing = stack, provider, folder, ExitStack()
        self.log = folder / "gateway.log"
        self.config = folder / "config"
        shutil.copytree(shipped("config"), self.config, dirs_exist_ok=True)
        self.configure(issuers=[self.issuer()], roles=ROLES)
        make_signing_keys(folder / "gateway-keys.json")
        self.environment = {
            **os.environ,
            **environment_of(stack),
            "GUARD_CONFIG": str(self.config),
            "GUARD_HEALTH_PORT": "0",
            "GUARD_GATEWAY__SIGNING_KEYS": str(folder / "gateway-keys.json"),
            "COLUMNS": "300",
        }

    def issuer(self, **more: Any) -> dict[str, Any]:
        ca = str(self.folder / "provider-ca.pem")
        return {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": self.provider.url, "ca": ca, **more}

    def configure(self, **gateway: Any) -> None:
        file = self.config / "guard.yaml"
        document = yaml.safe_load(file.read_text())
        file.write_text(yaml.safe_dump({**document, "gateway": gateway}))

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of ours, as people type it."""
        return commands.run(*words, environment=self.environment | more, cwd=ROOT)

    @contextmanager
    def processor(self, name: str) -> Iterator[commands.Started]:
        """It must not end before the block does: who waits for it meanwhile could not tell why."""
        file = self.folder / f"{name}.log"
        with file.open("ab") as log:
            process = commands.start("run", name, environment=self.environment, log=log, cwd=ROOT)
            try:
                yield process
            finally:
                ended = process.poll()
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(60)
                assert ended is None, f"the {name} ended with {ended} by itself: {file.read_text()[-2000:]}"

    @contextmanager
    def checker_paused(self) -> Iterator[None]:
        """Nobody is answered until the block ends."""
        self.checker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.checker.send_signal(signal.SIGCONT)

    @contextmanager
    def gateways(self, count: int = 1, *, ahead: int = 0, **more: str) -> Iterator[Sequence[Replica]]:
        replicas = [Replica(self.environment | more, self.log, ahead=ahead) for _ in range(count)]
        try:
            for replica in replicas:
                eventually(replica.ready, 60)
            yield replicas
        finally:
            for replica in replicas:
                replica.stop()


def bearer(text: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {text or token()}"}


def question(manifest: str = "inventory-sync-1.5.0.yaml", **more: Any) -> dict[str, Any]:
    """Case C-1, as a platform asks it."""
    return {
        "manifest": {"name": manifest, "content": (PLUGINS / manifest).read_text()},
        "host": "corex@1.9.0",
        "installed": ["com.powerx.plugins.crm@0.6.0"],
        "runtimes": ["go@1.22", "node@20.11"],
        **more,
    }


def ask(url: str, body: dict[str, Any] | None = None, *, key: str | None = None, **more: Any) -> httpx.Response:
    headers = {**bearer(), **({"Idempotency-Key": key} if key else {}), **more.pop("headers", {})}
    return web.post(url + CHECK, json=body or question(), headers=headers, timeout=60, **more)


def report_of(answer: httpx.Response) -> dict[str, Any]:
    """The report as the command line prints it."""
    result = json.loads(answer.text)
    return {**result["report"], "report_digest": result["report_digest"]}
