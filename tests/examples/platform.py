"""A small platform that receives what the relay sends, and misbehaves as it is told."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme
from standardwebhooks import Webhook

SECRET = "whsec_" + "bGV0IG1lIGluLCBJIGFtIHRoZSBndWFyZCBpdHNlbGY="
ROTATED = "whsec_" + "YSBzZWNvbmQgc2VjcmV0LCBmb3IgdGhlIHJvdGF0aW9u"


@dataclass(frozen=True)
class Received:
    """One try, as it came. `verified` says whether the receiver's own library accepts the signature."""

    path: str
    id: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    verified: bool
    port: int
    """The sender's: one for each connection."""

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What the platform does with a try: a status after a while, or no answer at all."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    dropped: bool = False
    """The try is processed, and the connection closed before anything is answered."""


Behaviour = Callable[[Received], Answer]


def content(_: Received) -> Answer:
    return Answer()


class Platform:
    """Use as a context manager. `behave` may be replaced at any time. With a certificate, it speaks TLS."""

    def __init__(
        self, behave: Behaviour = content, secret: str = SECRET, certificate: trustme.LeafCert | None = None
    ) -> None:
        self.behave, self._webhook = behave, Webhook(secret)
        self.received: list[Received] = []
        self._server = _Server(self)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Platform:
        threading.Thread(target=self._server.serve_forever, name="platform", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port

    def url(self, path: str = "/internal/notify/publish") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def use_secret(self, secret: str) -> None:
        self._webhook = Webhook(secret)

    def take(self, path: str, headers: Mapping[str, str], body: bytes, port: int = 0) -> Answer:
        named = {name.lower(): value for name, value in headers.items()}
        try:
            self._webhook.verify(body, dict(named))
            verified = True
        except Exception:  # noqa: BLE001 - whatever the library finds wrong
            verified = False
        received = Received(path, named.get("webhook-id", ""), named, body, time.time(), verified, port)
        self.received.append(received)
        return self.behave(received)

    def ids(self) -> list[str]:
        """The ids of all tries, repetitions among them."""
        return [one.id for one in self.received]

    def events(self) -> dict[str, dict[str, Any]]:
        """What is left after deduplication by id. Raises if two tries of one id differ in a byte."""
        bodies: dict[str, bytes] = {}
        for one in self.received:
            assert bodies.setdefault(one.id, one.body) == one.body
        return {id: json.loads(body) for id, body in bodies.items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed in the middle: no receiver processes half a request
            self.close_connection = True
            return
        answer = self.server.platform.take(self.path, dict(self.headers), body, self.client_address[1])
        if answer.dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass
