"""Results as they arrive, for streams of server-sent events. Belongs to the event loop."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from processors.gateway.positions import Position, has_seen
from processors.stream.types import Inbound

MOST_STREAMS: Final = 100
MOST_EACH: Final = 25
"""The most streams of one caller."""

BEHIND: Final = 1_000
"""The most results that a stream may lag behind before it is ended: its reader has stalled, and can reconnect."""


REMEMBERED: Final = 300
"""The most results that are kept for later readers."""


class TooManyStreams(Exception):
    """The limit of open streams is reached, in all or for this caller."""


class Live:
    """Sends every result to every stream. A slow reader delays neither others nor the results."""

    def __init__(self, most: int = MOST_STREAMS, behind: int = BEHIND, most_each: int = MOST_EACH) -> None:
        self._most, self._behind, self._most_each = most, behind, most_each
        self._callers = Counter[str]()
        self._streams: set[asyncio.Queue[Inbound | None]] = set()
        self._recent: deque[Inbound] = deque(maxlen=REMEMBERED)
        self._place: Position | None = None

    @property
    def place(self) -> Position | None:
        """The position of the reader of results, and so that of a new stream. None before it has caught up."""
        return self._place

    def begin(self, place: Position) -> None:
        """The reader has caught up, or has found its brokers again, at this position.

        If the topic now ends before a delivered result, it was created again. Streams then end, and everything
        starts over.
        """
        if self._place is not None and not _was_made_anew(self._place, place):
            return
        self.close()
        self._recent.clear()
        self._place = dict(place)

    def refuse_crowd(self, caller: str) -> None:
        """Raise TooManyStreams if the caller could not get a stream now."""
        if len(self._streams) >= self._most or self._callers[caller] >= self._most_each:
            raise TooManyStreams

    def recent(self) -> list[Inbound]:
        """The last results, the newest last."""
        return list(self._recent)

    def remember(self, results: Sequence[Inbound]) -> None:
        """Results from before the start: they are listed, and not streamed."""
        self._recent.extend(results)

    @property
    def streams(self) -> int:
        return len(self._streams)

    def publish(self, results: Sequence[Inbound]) -> None:
        """After an interruption the reader reads some results again; they are skipped."""
        place = dict(self._place or {})
        results = [result for result in results if not has_seen(place, result)]
        if not results:
            return
        for result in results:
            place[result.partition] = result.offset + 1
        self._place = place
        self.remember(results)
        for stream in list(self._streams):
            for result in results:
                if stream.qsize() >= self._behind:
                    self._end(stream)
                    break
                stream.put_nowait(result)

    @asynccontextmanager
    async def stream(self, caller: str) -> AsyncGenerator[asyncio.Queue[Inbound | None]]:
        """A queue of results from now on; None in it means that nothing follows. Raises TooManyStreams."""
        self.refuse_crowd(caller)
        self._callers[caller] += 1
        queue: asyncio.Queue[Inbound | None] = asyncio.Queue()
        self._streams.add(queue)
        try:
            yield queue
        finally:
            self._streams.discard(queue)
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]

    def close(self) -> None:
        for stream in list(self._streams):
            self._end(stream)

    def _end(self, stream: asyncio.Queue[Inbound | None]) -> None:
        self._streams.discard(stream)
        while not stream.empty():
            stream.get_nowait()
        stream.put_nowait(None)


def _was_made_anew(before: Position, ends: Position) -> bool:
    return any(offset > ends.get(partition, 0) for partition, offset in before.items())
