"""What a supervisor may ask: /healthz, /readyz and /metrics, on loopback unless told otherwise.

Alive means that the loop comes round. It says nothing of traffic, and nothing of the broker: restarting every
process because the broker is away helps nobody. Ready means that partitions are assigned, state is restored and
tables are loaded.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app  # pyright: ignore[reportUnknownVariableType] - it is typed `Any`

from processors.observability import metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STUCK_AFTER = 120.0
"""Seconds without a beat after which the process is better started afresh. Longer than any one retry."""


class Health:
    """The loop's own word on how it is. Written by the loop, read by the server's threads."""

    def __init__(self, processor: str) -> None:
        self._processor = processor
        self._gauge = metrics.BEAT.labels(processor)
        self.beat()  # a gauge that begins at 0 looks like a loop that has stood still since 1970
        self.tables_loaded = False
        self.restored = False
        self.assigned = False
        self.waiting: str | None = None

    def beat(self) -> None:
        self._beat = time.monotonic()
        self._gauge.set_to_current_time()

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._beat < STUCK_AFTER

    @property
    def ready(self) -> bool:
        return self.tables_loaded and self.assigned and self.restored and self.waiting is None

    def facts(self) -> dict[str, Any]:
        return {
            "processor": self._processor,
            "alive": self.alive,
            "ready": self.ready,
            "assigned": self.assigned,
            "restored": self.restored,
            "tables_loaded": self.tables_loaded,
            "waiting": self.waiting,
            "seconds_since_beat": round(time.monotonic() - self._beat, 3),
        }


class HealthServer:
    """Serves a Health in daemon threads. Use as a context manager."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self._health = health
        self._metrics = cast("WSGIApplication", make_wsgi_app())
        self._server = make_server(host, port, self._answer, server_class=_Server, handler_class=_Handler)

    @property
    def port(self) -> int:
        return self._server.server_port

    def __enter__(self) -> HealthServer:
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return self._metrics(environ, start)
        good = {"/healthz": self._health.alive, "/readyz": self._health.ready}.get(path)
        status = {True: "200 OK", False: "503 Service Unavailable", None: "404 Not Found"}[good]
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(self._health.facts()).encode() + b"\n"] if good is not None else [b"{}\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every few seconds and are not worth a line each."""
