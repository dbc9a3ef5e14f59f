"""Runs slow work in a few threads that callers share fairly: a caller with much work mostly delays itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from processors.gateway.mailbox import Crowded

T = TypeVar("T")


class FairThreads:
    """Makes one call of each caller at a time. Belongs to the event loop.

    `threads` is how many callers are served at once, `most` how many calls run or wait, and `most_each` how many of
    those belong to one caller.
    """

    def __init__(self, name: str, threads: int, *, most: int, most_each: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most, self._most_each = most, most_each
        self._callers = Counter[str]()
        self._locks: dict[str, asyncio.Lock] = {}

    async def run(self, caller: str, call: Callable[..., T], *arguments: Any) -> T:
        """Make the call in a thread. Raises Crowded, and what the call raises.

        A thread cannot be stopped: a cancelled call occupies its caller's turn until it returns.
        """
        if self._callers.total() >= self._most or self._callers[caller] >= self._most_each:
            raise Crowded
        self._callers[caller] += 1
        made = asyncio.ensure_future(self._make(caller, call, *arguments))
        made.add_done_callback(_heard)
        return await asyncio.shield(made)

    async def _make(self, caller: str, call: Callable[..., T], *arguments: Any) -> T:
        try:
            async with self._locks.setdefault(caller, asyncio.Lock()):
                return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)
        finally:
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller], self._locks[caller]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _heard(made: asyncio.Future[Any]) -> None:
    """Retrieve the error of a cancelled call: asyncio would log it otherwise."""
    if not made.cancelled():
        made.exception()
