"""A whole installation under real load, with Debian's Prometheus and Alertmanager beside it."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from examples.ground import eventually
from examples.installation import DEPLOY, Installation
from examples.load import exceptions_of_every_kind, requests
from examples.observed import Observed, OnCall

from processors.embedded import Addresses
from processors.embedded.debian import prometheus_tools
from processors.embedded.monitoring import Monitoring


@pytest.fixture(scope="module")
def observed(stack: Addresses) -> Iterator[Observed]:
    """Not in pytest's folder, which every run that begins closes to the user that Postgres runs as."""
    tools = prometheus_tools()
    if tools is None:
        pytest.skip("Prometheus is not on the PATH, and there is no apt to get Debian's package with")
    on_call = OnCall()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="compat-guard-watched-")))
        installation = closing.enter_context(Installation(folder).running(stack.registry))
        installation.run("matrix", "publish", str(installation.config / "compat_matrix.yaml"))
        targets = closing.enter_context(installation.processors())
        receiver = closing.enter_context(_receiver(on_call))
        monitoring = Monitoring(folder, tools, targets, DEPLOY, rules=at_once(folder), receiver=receiver)
        urls = closing.enter_context(monitoring).watched
        observed = Observed(installation, urls, on_call)
        eventually(lambda: observed.value("count(up == 1)") == len(targets), 60)
        exceptions_of_every_kind(installation)
        requests(installation.of, 300)  # last, since panels of rates look back for a minute
        eventually(lambda: observed.value("sum(version_compat_check_total)") >= 300, 60)
        yield observed


def at_once(folder: Path) -> Path:
    """The alert rules without their patience: what they ask for is the same, and nobody has minutes to wait.

    They outlast a scrape that came too late on a busy machine: it would end each alert, to fire again after it.
    """
    rules = (DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8")
    quick = folder / "alerts.yaml"
    quick.write_text(re.sub(r"^( +)for: .*$", r"\1for: 0s\n\1keep_firing_for: 8s", rules, flags=re.M), "utf-8")
    return quick


class _receiver:  # noqa: N801 - used like a function
    """A webhook for Alertmanager, as a pager's would be."""

    def __init__(self, on_call: OnCall) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                on_call.deliveries.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/alerts"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
