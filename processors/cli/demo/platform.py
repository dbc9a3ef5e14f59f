"""The platform of the demo: it asks the guard over HTTP with its own token, and gets events from the relay."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self, cast

from joserfc import jws
from joserfc.jwk import ECKey

from processors.relay.targets.signing import PREFIX, key_of, signed

NOTIFY: Final = "/internal/notify/publish"
AUDIT: Final = "/internal/audit/version"
SUBJECT: Final = "powerx"
GROUP: Final = "platform"

_LIFETIME: Final = 600
"""Seconds for which a token is valid."""


class DemoPlatform:
    """Listens on loopback. Use as a context manager."""

    def __init__(self, audience: str, tenant: str) -> None:
        self._audience, self._tenant = audience, tenant
        self._key = ECKey.generate_key("P-256", {"kid": "platform", "use": "sig", "alg": "ES256"})
        self.secret = PREFIX + b64encode(secrets.token_bytes(32)).decode()
        self._received: dict[str, dict[str, Any]] = {}
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="platform", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def keys(self) -> bytes:
        """The public keys for its tokens, for the gateway."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()

    def token(self, subject: str = SUBJECT) -> str:
        """An access token, as the platform would get it from an identity provider."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": self._audience,
            "iat": now,
            "exp": now + _LIFETIME,
            "tenant": self._tenant,
            "groups": [GROUP],
        }
        head = {"alg": "ES256", "kid": "platform", "typ": "at+jwt"}
        return jws.serialize_compact(head, json.dumps(claims), self._key, algorithms=["ES256"])

    def targets(self) -> Sequence[dict[str, Any]]:
        """Its configuration for the relay."""
        common = {"networks": ["127.0.0.0/8"], "secrets": [{"file": "platform-secret"}]}
        return (
            {"name": "platform", "kind": "webhook", "url": self.url + NOTIFY, **common},
            {"name": "audit", "kind": "audit", "url": self.url + AUDIT, **common},
        )

    def told_of(self, request_id: str) -> list[dict[str, Any]]:
        """The events about a request, each once, in the order of arrival."""
        return [event for event in list(self._received.values()) if event["data"].get("request_id") == request_id]

    def take(self, path: str, id: str, at: str, signature: str, body: bytes) -> bool:
        """Whether the signature of an event is valid. A repeated id is acknowledged and ignored."""
        if not at.isdecimal() or abs(int(at[:12]) - time.time()) > _LIFETIME:
            return False
        ours = signed([key_of(self.secret, "the demo")], id, int(at), body)["webhook-signature"]
        if not any(hmac.compare_digest(ours, theirs) for theirs in signature.split(" ")):
            return False
        self._received.setdefault(f"{path} {id}", json.loads(body))
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, platform: DemoPlatform) -> None:
        self.platform = platform
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _platform(self) -> DemoPlatform:
        return cast("_Server", self.server).platform

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/keys" else 404, self._platform.keys)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        id, at, signature = (self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        known = self.path in (NOTIFY, AUDIT)
        believed = known and self._platform.take(self.path, id, at, signature, body)
        self._answer(204 if believed else 401 if known else 404)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The relay has its own log."""
