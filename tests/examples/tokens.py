"""An identity provider for brokers: whoever knows the secret of a service gets a signed token, over TLS."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from processors.embedded.ports import HOST
from processors.embedded.protection import AUDIENCE, ISSUER

LIFE = 300
"""Seconds that a token is good for."""


class TokenIssuer:
    """`secrets` by the id of a client, which becomes its name on the broker."""

    def __init__(self, folder: Path, authority: trustme.CA, secrets: Mapping[str, str]) -> None:
        self._secrets, self._certificate = secrets, authority.issue_cert(HOST)
        self._key = ECKey.generate_key("P-256", {"kid": "tokens-1", "use": "sig", "alg": "ES256"}, auto_kid=False)
        self.keys = folder / "tokens.jwks"
        self.keys.write_text(json.dumps(KeySet([self._key]).as_dict(private=False)))
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        server = ThreadingHTTPServer((HOST, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, name="tokens", daemon=True)
        thread.start()
        self.url = f"https://{HOST}:{server.server_port}/token"
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)

    def token(self, subject: str, audience: str = AUDIENCE) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": subject, "aud": audience, "iat": now, "exp": now + LIFE, "scope": "kafka"}
        return jwt.encode({"alg": "ES256", "kid": "tokens-1"}, claims, self._key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                subject, _, secret = issuer._credentials(self.headers.get("Authorization", "")).partition(":")
                known = issuer._secrets.get(subject) == secret
                body = {"access_token": issuer.token(subject), "token_type": "Bearer", "expires_in": LIFE}
                answer = json.dumps(body if known else {"error": "invalid_client"}).encode()
                self.send_response(200 if known else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what it would tell is in the test."""

        return Handler

    @staticmethod
    def _credentials(header: str) -> str:
        return base64.b64decode(header.removeprefix("Basic ")).decode()
