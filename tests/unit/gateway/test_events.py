"""A stream of results that cannot go on ends in order: whoever comes again goes on where it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from processors.errors import RegistryUnavailable
from processors.gateway.api import events
from processors.gateway.auth.gate import ON_THIS_MACHINE
from processors.gateway.desk import Desk, Shown
from processors.gateway.streaming import Results
from processors.stream.types import Inbound


class Cut(Desk):
    """Shows one result; by the next one the registry is away."""

    async def shown(self, record: Inbound) -> Shown | None:
        if record.offset:
            raise RegistryUnavailable("the registry does not answer")
        return Shown("default", "{}")


def test_a_stream_ends_before_a_result_that_cannot_be_read_now() -> None:
    unused = cast(Any, None)
    desk = Cut(settings=unused, config=unused, events=unused, outbox=unused, gate=unused, keys=unused)
    desk.begin({0: 0})

    async def streamed() -> Sequence[str]:
        queue: Results = asyncio.Queue()
        for offset in range(2):
            queue.put_nowait(Inbound("compat.results", 0, offset, 0, b"r", b""))
        return [text async for text in events._texts(desk, queue, ON_THIS_MACHINE, None, None)]  # pyright: ignore[reportPrivateUsage]

    told = asyncio.run(asyncio.wait_for(streamed(), 10))
    assert told[-1] == "event: result\ndata: {}\nid: 0:1\n\n"
