"""Callers who send a byte at a time, over real sockets: they have a deadline, however patient they are."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
import uvicorn
from examples.ground import eventually
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from processors.gateway import server
from processors.gateway.admission import Admission
from processors.gateway.edges import Edges
from processors.gateway.server import Deadlines

WITHIN = 0.6
"""Seconds for a head, and for a body; in production ten and thirty."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was sent."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await PlainTextResponse(body)(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    patch = pytest.MonkeyPatch()
    patch.setattr(server, "HEAD_WITHIN", WITHIN)
    bound = socket.create_server(("127.0.0.1", 0))
    app = Edges(echo, Admission(), tokenless=False, within=WITHIN)
    serving = uvicorn.Server(uvicorn.Config(app, http=Deadlines, lifespan="off", log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(serving.serve([bound])), daemon=True)
    thread.start()
    eventually(lambda: serving.started, 10)
    yield bound.getsockname()[1]
    serving.should_exit = True
    thread.join(10)
    patch.undo()


def trickled(port: int, at_once: bytes, slowly: bytes) -> bytes:
    """What is answered to a beginning, and then a byte every tenth of a second."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(at_once)
        connection.settimeout(0.1)
        for byte in (bytes([one]) for one in slowly):
            try:
                connection.sendall(byte)
                piece = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            answer += piece
            if not piece:
                break
    return answer


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


def test_a_head_that_never_ends_is_cut_off(port: int) -> None:
    assert trickled(port, POST, b"X-Slow: " + b"a" * 60) == b""


def test_a_connection_on_which_nothing_is_said_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        assert connection.recv(1) == b""


def test_a_body_that_never_ends_is_refused(port: int) -> None:
    for length in (b"Content-Length: 60\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3c\r\n"):
        assert trickled(port, POST + length, b"a" * 60).startswith(b"HTTP/1.1 408 ")


def test_a_body_whose_length_is_told_in_two_ways_is_refused(port: int) -> None:
    """The server would go by the chunks, and whoever stands before it perhaps by the other."""
    both = b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(POST + both)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_second_request_on_a_connection_has_the_same_deadline(port: int) -> None:
    answer = trickled(port, POST + b"Content-Length: 2\r\n\r\nhi" + POST, b"X-Slow: " + b"a" * 60)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_connection_that_is_kept_between_requests_is_not_cut_off(port: int) -> None:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for wait in (WITHIN * 1.5, 0):
            connection.request("POST", "/", b"hi")
            own = connection.sock
            assert connection.getresponse().read() == b"hi"
            time.sleep(wait)
        assert connection.sock is own, "the client had to connect anew"
