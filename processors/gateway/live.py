"""Results as they come, for streams of server-sent events. Belongs to the event loop."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from processors.gateway.places import Place, has_seen
from processors.stream.types import Inbound

MOST_STREAMS: Final = 100
MOST_EACH: Final = 25
"""Streams of one caller."""

BEHIND: Final = 1_000
"""Results that a stream may lag behind before it is ended: its reader stalls, and reconnects if it is there."""


REMEMBERED: Final = 300
"""Results that are kept for whoever comes later."""


class TooManyStreams(Exception):
    """As many streams are open as may be, of everybody or of this caller."""


class Live:
    """Hands every result to every stream. A slow reader never delays another, nor the results."""

    def __init__(self, most: int = MOST_STREAMS, behind: int = BEHIND, most_each: int = MOST_EACH) -> None:
        self._most, self._behind, self._most_each = most, behind, most_each
        self._callers = Counter[str]()
        self._streams: set[asyncio.Queue[Inbound | None]] = set()
        self._recent: deque[Inbound] = deque(maxlen=REMEMBERED)
        self._place: Place | None = None

    @property
    def place(self) -> Place | None:
        """Where the reader of results stands, and with it whoever begins to read a stream now. None before it has
        caught up."""
        return self._place

    def begin(self, place: Place) -> None:
        """The reader stands there: it has caught up, or has found its brokers again.

        A topic that now ends before what was handed on was made anew. Streams end then, and everything begins anew.
        """
        if self._place is not None and not _was_made_anew(self._place, place):
            return
        self.close()
        self._recent.clear()
        self._place = dict(place)

    def refuse_crowd(self, caller: str) -> None:
        """Raise TooManyStreams if the caller would get no stream now."""
        if len(self._streams) >= self._most or self._callers[caller] >= self._most_each:
            raise TooManyStreams

    def recent(self) -> list[Inbound]:
        """The last results, the newest last."""
        return list(self._recent)

    def remember(self, results: Sequence[Inbound]) -> None:
        """Results from before anybody looked: they are listed, and not streamed."""
        self._recent.extend(results)

    @property
    def streams(self) -> int:
        return len(self._streams)

    def publish(self, results: Sequence[Inbound]) -> None:
        """A reader that has lost its broker for a while reads some of them again; they are passed over."""
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
        """A queue of results from now on; None says that nothing follows. Raises TooManyStreams."""
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


def _was_made_anew(before: Place, ends: Place) -> bool:
    return any(offset > ends.get(partition, 0) for partition, offset in before.items())
