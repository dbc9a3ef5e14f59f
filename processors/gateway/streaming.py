"""Streams of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from processors.gateway.live import Live
from processors.stream.types import Inbound

Results = asyncio.Queue[Inbound | None]


class EventStream(StreamingResponse):
    """Results from now on. Raises TooManyStreams as it begins.

    Its place among the streams is taken and given back in here: a caller who is gone before the first byte costs
    none.
    """

    def __init__(self, live: Live, texts: Callable[[Results], AsyncIterator[str]]) -> None:
        super().__init__((), media_type="text/event-stream")
        self._live, self._texts = live, texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._live.stream() as results:
            self.body_iterator = self._texts(results)
            await super().__call__(scope, receive, send)
