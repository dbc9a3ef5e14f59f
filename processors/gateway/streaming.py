"""Streams of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from processors.gateway.live import Live
from processors.stream.types import Inbound

LONGEST: Final = 3600.0
"""Seconds: as long as a token may be valid. A client reconnects afterwards, and is authenticated again."""

Results = asyncio.Queue[Inbound | None]


class EventStream(StreamingResponse):
    """Results from now on. Raises TooManyStreams when it begins.

    Its slot among the streams is taken and released in here: a caller that leaves before the first byte occupies
    none.
    """

    def __init__(self, live: Live, caller: str, texts: Callable[[Results], AsyncIterator[str]]) -> None:
        super().__init__((), media_type="text/event-stream")
        self._live, self._caller, self._texts = live, caller, texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._live.stream(self._caller) as results:
            self.body_iterator = _bounded(self._texts(results), LONGEST)
            await super().__call__(scope, receive, send)


async def _bounded(texts: AsyncIterator[str], seconds: float) -> AsyncIterator[str]:
    """Ends after a text that comes later than that; streams send something every few seconds."""
    until = asyncio.get_running_loop().time() + seconds
    async for text in texts:
        yield text
        if asyncio.get_running_loop().time() > until:
            return
