"""The health endpoints /healthz, /readyz and /metrics, on loopback by default.

Anybody who reaches the port may connect, so a client that is silent is let go, and of too many the oldest: a probe
is answered within milliseconds.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app  # pyright: ignore[reportUnknownVariableType] - it is typed `Any`

from processors.stream.loop.health import Vitals

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE: Final = 5.0
"""Seconds that a client may be silent."""

MOST: Final = 32
"""The most connections at once."""


class HealthServer:
    """Serves a Health in daemon threads. Use as a context manager."""

    def __init__(self, health: Vitals, host: str, port: int) -> None:
        self._health = health
        self._metrics = cast("WSGIApplication", make_wsgi_app())
        serves = _ServerIPv6 if ":" in host else _Server
        self._server = make_server(host, port, self._answer, server_class=serves, handler_class=_Handler)

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
    request_queue_size = 128

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._lock, self._open = threading.Lock(), dict[socket.socket, None]()
        super().__init__(*arguments, **more)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = None
            oldest = next(iter(self._open)) if len(self._open) > MOST else None
            if oldest is not None:
                del self._open[oldest]
        if oldest is not None:
            with suppress(OSError):  # it has gone by itself
                oldest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is silent or has gone is no fault of ours; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every few seconds and are not worth a line each."""
