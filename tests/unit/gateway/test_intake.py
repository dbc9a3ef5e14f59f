"""How much was read decides where it is worked on, whatever the head of the request says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from processors.gateway.admission import Admission
from processors.gateway.edges import Edges
from processors.gateway.intake import size_read


def size_of(chunks: list[bytes], headers: Mapping[str, str]) -> int:
    """What the application takes for the size of a body that comes in these pieces."""
    sizes: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        sizes.append(size_read(request))

    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        raise AssertionError

    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Edges(application, Admission(), tokenless=False)(scope, receive, send))
    return sizes[0]


@pytest.mark.parametrize("headers", [{}, {"content-length": "1"}, {"transfer-encoding": "chunked"}])
def test_the_size_of_a_body_is_what_was_read_of_it(headers: Mapping[str, str]) -> None:
    assert size_of([b"a" * 60_000, b"b" * 40_000], headers) == 100_000
    assert size_of([b""], headers) == 0
