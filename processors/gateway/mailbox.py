"""Answers that came by lately, and who waits for which. Belongs to the event loop: nothing in it is locked.

Every answer passes through here before anybody is told, so it makes no difference whether it came before or after
somebody began to wait for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

MOST_ANSWERS: Final = 50_000
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of all answers that are kept."""

MOST_WAITING: Final = 2_000

Key = tuple[str, str]
Answered = asyncio.Future[bytes]


class Crowded(Exception):
    """As many wait already as may wait at once."""


class Mailbox:
    """Answers by key, the first for each: in the order of the log the first answer is the answer."""

    def __init__(
        self, *, most: int = MOST_ANSWERS, largest: int = LARGEST, most_waiting: int = MOST_WAITING
    ) -> None:
        self._most, self._largest, self._most_waiting = most, largest, most_waiting
        self._answers: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0
        self._expected: dict[Key, list[Answered]] = {}
        self._closed = False
        self.waiting = 0

    def get(self, key: Key) -> bytes | None:
        """The answer, if it came by lately."""
        return self._answers.get(key)

    def put(self, key: Key, answer: bytes) -> None:
        """An answer came by. Another one under the same key changes nothing."""
        if key in self._answers:
            return
        self._answers[key] = answer
        self._size += len(answer)
        while len(self._answers) > self._most or self._size > self._largest:
            _, forgotten = self._answers.popitem(last=False)
            self._size -= len(forgotten)
        for future in self._expected.pop(key, ()):
            if not future.done():
                future.set_result(answer)

    @contextmanager
    def waiter(self) -> Generator[Waiter]:
        """Somebody who waits as long as the block lasts. Raises Crowded."""
        if self.waiting >= self._most_waiting:
            raise Crowded
        self.waiting += 1
        waiter = Waiter(self)
        try:
            yield waiter
        finally:
            self.waiting -= 1
            waiter.leave()

    def close(self) -> None:
        """Nobody waits any longer, and nobody begins to: what they wait for is cancelled."""
        self._closed = True
        for futures in self._expected.values():
            for future in futures:
                future.cancel()

    def expect(self, key: Key) -> Answered:
        future: Answered = asyncio.get_running_loop().create_future()
        if (answer := self._answers.get(key)) is not None:
            future.set_result(answer)
        elif self._closed:
            future.cancel()
        else:
            self._expected.setdefault(key, []).append(future)
        return future

    def forget(self, key: Key, future: Answered) -> None:
        future.cancel()
        others = self._expected.get(key, [])
        if future in others:
            others.remove(future)
            if not others:
                del self._expected[key]


class Waiter:
    """Waits for the first answer under any of the keys that it was given."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._expected: list[tuple[Key, Answered]] = []

    def on(self, key: Key) -> None:
        self._expected.append((key, self._mailbox.expect(key)))

    async def first(self, patience: float) -> tuple[Key, bytes] | None:
        """The key and the answer; None if none came within `patience` seconds, or nobody waits any more.

        Of several that are there, the one whose key was given first.
        """
        futures = [future for _, future in self._expected]
        await asyncio.wait(futures, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        return next(((key, f.result()) for key, f in self._expected if f.done() and not f.cancelled()), None)

    def leave(self) -> None:
        for key, future in self._expected:
            self._mailbox.forget(key, future)
