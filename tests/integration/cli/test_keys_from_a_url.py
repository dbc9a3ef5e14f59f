"""Keys that an issuer publishes over HTTP: a server that rotates them, fails, stalls, floods, sends us away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from examples.exceptions import CONFIG, policy, public_jwk

from processors.bootstrap import keys_url, trusted_keys
from processors.bootstrap.keys_url import KeysUnavailable, fetch
from processors.bootstrap.trusted_keys import TrustedKeys
from processors.errors import DocumentRefused
from processors.events.exceptions import ProofKind
from processors.exception_workflow.config import Issuer, parse
from processors.exception_workflow.proof.keys import JWKS_LIMIT

Answer = Callable[[BaseHTTPRequestHandler], None]


def jwks(*kids: str) -> Answer:
    return body(json.dumps({"keys": [public_jwk(kid) for kid in kids]}).encode())


def one_key(**more: object) -> Answer:
    return body(json.dumps({"keys": [public_jwk("odd") | more]}).encode())


def body(content: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def endless(piece: bytes, pause: float) -> Answer:
    """An answer without an end, until the other side has had enough."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100_000):
                handler.wfile.write(piece)
                time.sleep(pause)
        except OSError:
            handler.close_connection = True

    return answer


@dataclass
class Provider:
    """An HTTP server on loopback. `answer` is what it says next; `asked` the paths that it was asked for."""

    answer: Answer = field(default_factory=lambda: jwks("old"))
    asked: list[str] = field(default_factory=list[str])
    port: int = 0
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keys"

    def start(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                provider.answer(self)

            def log_message(self, *_: object) -> None:
                """Its chatter is of no interest."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def keys(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrustedKeys:
    """Trusts the provider, and asks it at every look."""
    monkeypatch.setattr(trusted_keys, "ASK_EVERY", -1.0)
    issuer = Issuer(issuer="https://login.example", kinds=(ProofKind.SERVICE_JWS,), audience="a", jwks=provider.url)
    proof = policy().proof.model_copy(update={"issuers": (issuer,)})
    return TrustedKeys(policy().model_copy(update={"proof": proof}), tmp_path)


def known(keys: TrustedKeys) -> list[str]:
    return sorted(keys().by_kid)


def test_keys_rotate_without_a_restart(keys: TrustedKeys, provider: Provider) -> None:
    """Old and new stand side by side, and what is not published any more is not trusted any more."""
    for published in (("new", "old"), ("new",)):
        provider.answer = jwks(*published)
        keys.look()
        assert known(keys) == list(published)


def test_an_outage_leaves_the_keys_that_are_known(keys: TrustedKeys, provider: Provider) -> None:
    """Approvals go on; when the provider is back, it is listened to again."""
    provider.stop()
    keys.look()
    assert known(keys) == ["old"]
    provider.answer = jwks("new")
    provider.start()
    keys.look()
    assert known(keys) == ["new"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(body(b"", 503), id="an error"),
        pytest.param(body(b"", 204), id="nothing"),
        pytest.param(body(b"<html>log in first</html>"), id="a login page"),
        pytest.param(body(b'{"keys": {}}'), id="another shape"),
        pytest.param(body(b'{"keys": [{"kid": "k", "kty": "oct", "k": "c2VjcmV0"}]}'), id="a secret"),
        pytest.param(one_key(revoked_at="soon"), id="a revocation that is no time"),
        pytest.param(one_key(revoked_at=float("inf")), id="a revocation in eternity"),
        pytest.param(one_key(x="AAAA"), id="a point on no curve"),
        pytest.param(one_key(x=7), id="a coordinate that is no text"),
        pytest.param(body(b"\xff\xfe{}"), id="no UTF-8"),
        pytest.param(body(b"[" * 100_000), id="nesting without end"),
        pytest.param(body(b'{"keys": []', **{"content-length": "1000"}), id="an answer cut short"),
        pytest.param(body(b" " * (JWKS_LIMIT + 1)), id="a huge answer"),
        pytest.param(endless(b" " * 65_536, 0), id="an answer without end"),
        pytest.param(body(b"", 302, location="/other"), id="a redirect"),
        pytest.param(body(b"", 307, location="http://keys.example/jwks"), id="a redirect to somebody else"),
    ],
)
def test_a_bad_answer_leaves_the_keys_that_are_known(keys: TrustedKeys, provider: Provider, answer: Answer) -> None:
    """Whatever it is, it is asked for once, and nobody is locked out by it."""
    provider.asked.clear()
    provider.answer = answer
    keys.look()

    assert known(keys) == ["old"]
    assert provider.asked == ["/keys"]


def test_an_empty_set_takes_every_key_away(keys: TrustedKeys, provider: Provider) -> None:
    """The issuer says so itself: that is how it takes all of them back."""
    provider.answer = body(b'{"keys": []}')
    keys.look()

    assert known(keys) == []


def test_a_redirect_is_told_with_where_it_leads(provider: Provider) -> None:
    """Somebody has to correct the configuration, or to wonder."""
    provider.answer = body(b"", 301, location="http://keys.example/jwks")

    with pytest.raises(KeysUnavailable, match=r"redirect to `http://keys\.example/jwks`"):
        fetch(provider.url)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _: time.sleep(30), id="silence"),
        pytest.param(endless(b" ", 0.05), id="a byte now and then"),
    ],
)
def test_a_slow_provider_is_given_up(provider: Provider, answer: Answer) -> None:
    """The time counts for the whole answer, so that drops of it do not hold us for ever."""
    provider.answer = answer
    started = time.monotonic()

    with pytest.raises(KeysUnavailable):
        fetch(provider.url, patience=0.3)

    assert time.monotonic() - started < 15


def test_nothing_starts_without_keys(provider: Provider, tmp_path: Path) -> None:
    """A workflow that could verify nobody would refuse everybody."""
    issuer = Issuer(issuer="i", kinds=(ProofKind.SERVICE_JWS,), audience="a", jwks=provider.url)
    proof = policy().proof.model_copy(update={"issuers": (issuer,)})
    provider.answer = body(b"", 500)

    with pytest.raises(KeysUnavailable, match="status 500"):
        TrustedKeys(policy().model_copy(update={"proof": proof}), tmp_path)
    provider.answer = body(b"{}")
    with pytest.raises(DocumentRefused, match="JWKS"):
        TrustedKeys(policy().model_copy(update={"proof": proof}), tmp_path)


def test_a_url_in_the_clear_is_permitted_on_loopback_only() -> None:
    """There nobody can listen in between; the unit tests of the policy have the others."""
    plain = CONFIG.read_text()
    assert plain.count("development-jwks.json") == 1
    assert parse(plain.replace("development-jwks.json", "http://127.0.0.1:1/keys").encode())
    assert keys_url.PATIENCE < trusted_keys.ASK_EVERY
