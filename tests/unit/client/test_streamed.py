"""Results streamed by a gateway that comes and goes: each once, in order, or an error that says why not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any, cast

import pytest

from processors.client import streamed
from processors.client.gateway_calls import GatewayCalls, GatewayRefused
from processors.client.streamed import StreamedEvent, events, watched
from processors.configuration.settings import GatewaySettings
from processors.errors import GatewayUnavailable, SettingsInvalid


class Gateway:
    """Gives one answer to each who comes: the text of a stream that then ends, or a status. Keeps their places."""

    def __init__(self, *answers: str | int) -> None:
        self.places: list[str | None] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers[min(len(gateway.places), len(answers) - 1)]
                gateway.places.append(self.headers["Last-Event-ID"])
                self.send_response(answer if isinstance(answer, int) else 200)
                problem = json.dumps({"type": "/internal/problems/results-gone", "detail": "too many since"})
                self.send_header(
                    "Content-Type", "application/problem+json" if isinstance(answer, int) else "text/event-stream"
                )
                self.end_headers()
                self.wfile.write((problem if isinstance(answer, int) else answer).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> GatewayCalls:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.calls = GatewayCalls(GatewaySettings(), f"http://127.0.0.1:{self.server.server_port}")
        return self.calls

    def __exit__(self, *_: object) -> None:
        self.calls.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(streamed, "LONGEST_PAUSE", 0.02)


def begun(place: str) -> str:
    return f": results behind this place\nid: {place}\n\n"


def event(number: int, place: str) -> str:
    data = json.dumps({"at": number, "result": {"request_id": f"r-{number}"}})
    return f"event: result\ndata: {data}\nid: {place}\n\n"


def seen(found: Iterator[tuple[int, Any]], count: int) -> list[int]:
    return [at for at, _ in islice(found, count)]


def test_events_are_told_apart_by_empty_lines_and_half_of_one_is_none() -> None:
    text = ": hello\nid: 0:1\n\n: still here\n\nevent: result\ndata: a\ndata: b\nid: 0:2\nretry: 5\n\ndata: cut o"
    assert list(events(text.splitlines())) == [StreamedEvent("0:1", ""), StreamedEvent("0:2", "a\nb")]


def test_who_is_cut_off_goes_on_behind_what_was_seen_last() -> None:
    told: list[str] = []
    gateway = Gateway(
        begun("0:1") + event(1, "0:2") + event(2, "0:3") + "event: result\ndata: {",
        begun("0:3") + event(3, "0:4"),
        begun("0:4") + event(4, "0:5"),
    )
    with gateway as calls, closing(watched(calls, told.append)) as found:
        assert seen(found, 4) == [1, 2, 3, 4]
    assert gateway.places == [None, "0:3", "0:4"]
    assert told == [], "one that is replaced is mostly back at once"


def test_who_was_cut_off_before_the_first_result_has_missed_none() -> None:
    gateway = Gateway(begun("0:1,1:7"), begun("0:1,1:7") + event(1, "0:2,1:7"))
    with gateway as calls, closing(watched(calls, lambda _: None)) as found:
        assert seen(found, 1) == [1]
    assert gateway.places == [None, "0:1,1:7"]


def test_a_gateway_that_is_away_is_waited_for_and_that_is_said_once() -> None:
    told: list[str] = []
    gateway = Gateway(begun("0:1") + event(1, "0:2"), 503, 503, 503, 503, begun("0:2") + event(2, "0:3"))
    with gateway as calls, closing(watched(calls, told.append)) as found:
        assert seen(found, 2) == [1, 2]
    assert len(told) == 2
    assert "503" in told[0]
    assert told[1] == "the gateway is back; results go on where they ended"


def test_a_gateway_may_be_away_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand attempts and more."""
    monkeypatch.setattr(streamed, "FIRST_PAUSE", 0.0)

    class Away:
        """Answers once, and again after so many attempts."""

        def __init__(self) -> None:
            self.attempts = 0

        @contextmanager
        def stream(self, path: str, place: str | None) -> Iterator[Any]:
            self.attempts += 1
            if 1 < self.attempts < 1_200:
                raise GatewayUnavailable("away")
            yield self

        def iter_lines(self) -> Iterator[str]:
            number = self.attempts
            return iter((begun(f"0:{number}") + event(number, f"0:{number + 1}")).splitlines())

    with closing(watched(cast("Any", Away()), lambda _: None)) as found:
        assert seen(found, 2) == [1, 1_200]


def test_one_that_never_answers_is_not_waited_for() -> None:
    with Gateway(503) as calls, pytest.raises(GatewayUnavailable, match="503"):
        next(watched(calls, lambda _: None))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(410, GatewayRefused, id="results have gone"),
        pytest.param(401, SettingsInvalid, id="the token has expired"),
        pytest.param(403, GatewayRefused, id="the role was taken away"),
    ],
)
def test_a_gap_that_cannot_be_closed_is_an_error(status: int, error: type[Exception]) -> None:
    gateway = Gateway(begun("0:1") + event(1, "0:2"), status)
    with gateway as calls, closing(watched(calls, lambda _: None)) as found:
        assert next(found)[0] == 1
        with pytest.raises(error, match="too many since"):
            next(found)


@pytest.mark.parametrize("first", ["", begun("0:1")], ids=["from the beginning", "after one that could"])
def test_a_gateway_of_before_is_read_until_it_ends_the_stream(first: str) -> None:
    """It sends no place before the first result, and would go on from now: nothing is passed over silently."""
    old = event(1, "0/1") + event(2, "0/2")
    gateway = Gateway(first + event(0, "0:2"), old) if first else Gateway(old)
    with gateway as calls, closing(watched(calls, lambda _: None)) as found:
        assert seen(found, 1 if first else 2) == ([0] if first else [1, 2])
        with pytest.raises(GatewayUnavailable, match="too old"):
            next(found)
