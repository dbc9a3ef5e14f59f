"""What comes back from a gateway, or from what stands in its place, is an answer or an error, and never a guess."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from processors.client.gateway_calls import GatewayCalls, GatewayRefused
from processors.configuration.settings import GatewaySettings
from processors.errors import GatewayUnavailable, GuardError, SettingsInvalid

Answer = tuple[int, dict[str, str], bytes]

PROBLEM = {"Content-Type": "application/problem+json"}


def problem(kind: str, detail: str = "so it is", **more: Any) -> bytes:
    return json.dumps({"type": f"/internal/problems/{kind}", "detail": detail, **more}).encode()


class Gateway:
    """Gives its answers one after the other, the last one for ever, and keeps the keys that came with requests."""

    def __init__(self, *answers: Answer) -> None:
        self.keys: list[str | None] = []
        self.tokens: list[str | None] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, headers, body = answers[min(len(gateway.keys), len(answers) - 1)]
                gateway.keys.append(self.headers["Idempotency-Key"])
                gateway.tokens.append(self.headers["Authorization"])
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Gateway:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is not asked: it would see the token."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")


def posted(gateway: Gateway, key: str | None = "k-1", patience: float = 10.0) -> Any:
    with closing(GatewayCalls(GatewaySettings.model_validate({"token": "secret"}), gateway.url)) as calls:
        return calls.post("/internal/x", time.monotonic() + patience, key=key, body={}).json()


def test_an_answer_is_handed_on_and_the_token_goes_with_the_request() -> None:
    with Gateway((200, {}, b'{"verdict": "BLOCK"}')) as gateway:
        assert posted(gateway) == {"verdict": "BLOCK"}
    assert gateway.tokens == ["Bearer secret"]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param((401, PROBLEM, problem("unauthenticated", "expired")), SettingsInvalid, "expired", id="token"),
        pytest.param((403, PROBLEM, problem("forbidden")), GatewayRefused, "so it is", id="role"),
        pytest.param((409, PROBLEM, problem("refused")), GatewayRefused, "so it is", id="refused"),
        pytest.param((500, PROBLEM, problem("internal")), GatewayUnavailable, "500", id="a fault of the gateway"),
        pytest.param((502, {}, b"<html>"), GatewayUnavailable, "502", id="a proxy"),
        pytest.param(
            (302, {"Location": "http://127.0.0.1:1/"}, b""), SettingsInvalid, "not a gateway", id="redirect"
        ),
        pytest.param((404, {}, b"not here"), SettingsInvalid, "not a gateway", id="another server"),
        pytest.param((409, PROBLEM, b"[1]"), SettingsInvalid, "not a gateway", id="a problem that is none"),
        pytest.param((409, PROBLEM, problem("refused", "\x1b[2J")), GatewayRefused, "�", id="control characters"),
    ],
)
def test_whatever_is_no_success_is_an_error(answer: Answer, error: type[GuardError], says: str) -> None:
    with Gateway(answer) as gateway, pytest.raises(error) as raised:
        posted(gateway)
    assert says in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_who_is_told_to_come_again_does_so_under_the_same_key() -> None:
    later = (503, {**PROBLEM, "Retry-After": "0"}, problem("crowded"))
    with Gateway(later, later, (200, {}, b"{}")) as gateway:
        assert posted(gateway) == {}
    assert gateway.keys == ["k-1"] * 3


def test_what_has_no_key_is_not_sent_twice() -> None:
    crowded = (503, {**PROBLEM, "Retry-After": "0"}, problem("crowded"))
    with Gateway(crowded) as gateway, pytest.raises(GatewayUnavailable):
        posted(gateway, key=None)
    assert len(gateway.keys) == 1


def test_nobody_waits_longer_than_they_have_patience() -> None:
    """A year of Retry-After ends at once."""
    later = (429, {**PROBLEM, "Retry-After": "31536000"}, problem("too-many-requests"))
    with Gateway(later) as gateway, pytest.raises(GatewayUnavailable, match="429"):
        posted(gateway)
    assert len(gateway.keys) == 1


@pytest.mark.parametrize(
    "url",
    ["http://guard.example", "ftp://127.0.0.1", "guard.example", "https://me:secret@guard.example", "https://"],
)
def test_a_token_is_not_sent_where_others_could_read_it(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        GatewayCalls(GatewaySettings(), url)
