"""Admits many simultaneous requests a few at a time, so that a round of the event loop stays short.

A round of the event loop lasts as long as everything that is ready in it: a thousand requests that begin in one
round, or continue in one because their answers came together, would delay streams, timers and other requests for
seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

IN_A_ROUND: Final = 8
"""The most requests that take a step in one round."""

LONG_ROUND: Final = 0.02
"""Seconds. After a longer round, half as many are admitted to the next one: how long a step takes depends on the
request and on the machine."""


class Admission:
    """Admits a number of callers in each round of the event loop, in the order of arrival. Belongs to the loop.

    `clock` gives seconds.
    """

    def __init__(self, most: int = IN_A_ROUND, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = self._now = self._left = most
        self._clock = clock
        self._queue: deque[asyncio.Future[None]] = deque()
        self._is_counting = False
        self._began = 0.0

    async def take(self) -> None:
        """Return at once under low load, else when it is the caller's turn."""
        if self._left and not self._queue:
            self._left -= 1
            self._count()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        await turn

    def _count(self) -> None:
        if not self._is_counting:
            self._is_counting, self._began = True, self._clock()
            asyncio.get_running_loop().call_soon(self._next_round)

    def _next_round(self) -> None:
        took = self._clock() - self._began
        self._now = max(1, self._now // 2) if took > LONG_ROUND else min(self._most, self._now + 1)
        self._left, self._is_counting = self._now, False
        while self._queue and self._left:
            turn = self._queue.popleft()
            if not turn.done():  # otherwise the caller left
                turn.set_result(None)
                self._left -= 1
        if self._left < self._now:
            self._count()
