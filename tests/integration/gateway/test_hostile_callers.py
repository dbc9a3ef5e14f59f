"""Callers who keep connections busy and ask nothing: everybody else is answered as if they were not there."""

from __future__ import annotations

import os
import re
import socket
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from examples import web
from examples.gateways import CHECK, Edge, Replica, ask, bearer
from examples.ground import eventually
from examples.issuers import claims, token

pytestmark = pytest.mark.stack

LONG = os.environ.get("GUARD_CHAOS") == "long"
IDLE = 5_000 if LONG else 500


def streams(gateway: Replica) -> int:
    found = re.search(r"^compat_gateway_streams (\S+)$", gateway.metrics(), re.M)
    return round(float(found[1])) if found else -1


def head(path: str, who: str = "rita", **more: str) -> bytes:
    headers = {"Host": "127.0.0.1", **bearer(token(claims(who, roles=("reader",)))), **more}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def reset(connection: socket.socket) -> None:
    """Close it without a word, as a caller who was killed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_callers_who_leave_before_the_first_byte_keep_no_stream(gateway: Replica) -> None:
    """There are a hundred places for streams; twice as many come and go."""
    for n in range(200):
        connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        connection.sendall(head("/internal/events", f"person-{n % 20}"))
        reset(connection)

    eventually(lambda: streams(gateway) == 0, 20)
    with web.stream("GET", f"{gateway.url}/internal/events", headers=bearer(), timeout=20) as stream:
        assert stream.status_code == 200


def test_a_stream_too_many_is_refused_and_the_others_go_on(gateway: Replica) -> None:
    with ExitStack() as opened:
        client = opened.enter_context(httpx.Client(timeout=20, limits=httpx.Limits(max_connections=None)))
        people = [bearer(token(claims(f"person-{n}", roles=("reader",)))) for n in range(10)]
        for n in range(100):
            stream = client.stream("GET", f"{gateway.url}/internal/events", headers=people[n % 10])
            assert opened.enter_context(stream).status_code == 200
        refused = client.get(f"{gateway.url}/internal/events", headers=people[0])

    assert (refused.status_code, refused.json()["type"]) == (503, "/internal/problems/crowded")
    assert 2 <= int(refused.headers["retry-after"]) <= 8
    eventually(lambda: streams(gateway) == 0, 20)


def test_a_reader_that_stalls_delays_nobody(gateway: Replica) -> None:
    """It takes not one byte; results and streams of others go on."""
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", gateway.port))
        stalled.sendall(head("/internal/events"))
        eventually(lambda: streams(gateway) == 1, 20)
        with web.stream("GET", f"{gateway.url}/internal/events", headers=bearer(), timeout=20) as stream:
            lines = stream.iter_lines()
            asked = [ask(gateway.url).json()["request_id"] for _ in range(20)]
            seen = "".join(next(lines) for _ in range(4 * 20))

    assert all(id in seen for id in asked[:15])


@contextmanager
def idle(port: int, count: int) -> Iterator[None]:
    sockets = list[socket.socket]()
    try:
        for _ in range(count):
            sockets.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        yield
    finally:
        for each in sockets:
            each.close()


def test_idle_connections_are_closed_and_meanwhile_others_are_answered(gateway: Replica) -> None:
    with idle(gateway.port, IDLE):
        assert ask(gateway.url).status_code == 200
    assert ask(gateway.url).status_code == 200


@pytest.mark.parametrize("minutes", [-2, 2])
def test_a_gateway_whose_clock_is_two_minutes_off_gives_the_same_answers(
    edge: Edge, gateway: Replica, minutes: int
) -> None:
    """It finds the answers of before its start, too. Only about tokens that are a minute old it may be of another
    mind, and then refuses."""
    now = int(time.time())
    older = bearer(token(claims(iat=now - 300, exp=now + 1800)))
    key = str(uuid.uuid4())
    right = ask(gateway.url, headers=older, key=key)
    with edge.gateways(ahead=minutes * 60_000) as (wrong,):
        again, fresh = ask(wrong.url, headers=older, key=key), ask(wrong.url, headers=older)
        new = ask(wrong.url, headers=bearer(token(claims(iat=now, exp=now + 1800))))

    assert [one.status_code for one in (right, again, fresh)] == [200, 200, 200]
    assert again.json() == right.json()
    assert fresh.json()["report_digest"] == right.json()["report_digest"]
    assert new.status_code == (401 if minutes < 0 else 200)


def test_line_ends_in_what_a_caller_sends_end_no_line_of_the_answer(edge: Edge, gateway: Replica) -> None:
    """Neither in a header, nor in the log."""
    manifest = ("a\r\nSet-Cookie: x=1\r\n.yaml", b"id: com.powerx.plugins.crm\n")
    answer = web.post(
        gateway.url + CHECK,
        files={"manifest": manifest},
        data={"host": "corex@1.9.0\r\nX-Evil: 1", "target": "t\r\ndata: forged\r\n\r\n"},
        headers=bearer(),
        timeout=60,
    )
    reported = web.get(f"{gateway.url}{CHECK}/%0d%0aX-Evil:%201", headers=bearer(), timeout=60)

    for one in (answer, reported):
        assert "x-evil" not in one.headers
        assert "set-cookie" not in one.headers
    assert all(line.startswith("{") for line in edge.log.read_text().splitlines() if line)
