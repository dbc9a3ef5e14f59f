"""Recent answers, and the requests that wait for them. Belongs to the event loop: nothing in it is locked.

Every answer is stored here first, so it makes no difference whether it came before or after a request began to
wait.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

MOST_ANSWERS: Final = 50_000
LARGEST: Final = 64 * 1024 * 1024
"""The most bytes of all stored answers."""

MOST_WAITING: Final = 2_000

Key = tuple[str, str]
Answered = asyncio.Future[bytes]


class Crowded(Exception):
    """The limit of waiting requests is reached."""


class Mailbox:
    """Answers by key, only the first one for each: in the order of the log the first answer counts."""

    def __init__(
        self, *, most: int = MOST_ANSWERS, largest: int = LARGEST, most_waiting: int = MOST_WAITING
    ) -> None:
        self._most, self._largest, self._most_waiting = most, largest, most_waiting
        self._answers: OrderedDict[Key, bytes] = OrderedDict()
        self._disputed: set[Key] = set()
        self._size = 0
        self._expected: dict[Key, list[Answered]] = {}
        self._closed = False
        self.waiting = 0

    def get(self, key: Key) -> bytes | None:
        """The answer, if it is stored."""
        return self._answers.get(key)

    def is_disputed(self, key: Key) -> bool:
        """Whether a different answer came under the key of a stored one, perhaps to another question."""
        return key in self._disputed

    def put(self, key: Key, answer: bytes) -> int:
        """An answer has arrived; return how many requests it woke. Another one under the same key is only noted."""
        if key in self._answers:
            if self._answers[key] != answer:
                self._disputed.add(key)
            return 0
        self._answers[key] = answer
        self._size += len(answer)
        while len(self._answers) > self._most or self._size > self._largest:
            oldest, forgotten = self._answers.popitem(last=False)
            self._disputed.discard(oldest)
            self._size -= len(forgotten)
        woken = [future for future in self._expected.pop(key, ()) if not future.done()]
        for future in woken:
            future.set_result(answer)
        return len(woken)

    @contextmanager
    def waiter(self) -> Generator[Waiter]:
        """A waiter for the duration of the block. Raises Crowded."""
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
        """End all waiting and accept no new waiters."""
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
    """Waits for the first answer under any of its keys."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._expected: list[tuple[Key, Answered]] = []

    def on(self, key: Key) -> None:
        self._expected.append((key, self._mailbox.expect(key)))

    async def first(self, patience: float) -> tuple[Key, bytes] | None:
        """The key and the answer; None if none came within `patience` seconds, or waiting was ended.

        If several answers are there, the one whose key was given first.
        """
        futures = [future for _, future in self._expected]
        await asyncio.wait(futures, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        return next(((key, f.result()) for key, f in self._expected if f.done() and not f.cancelled()), None)

    def leave(self) -> None:
        for key, future in self._expected:
            self._mailbox.forget(key, future)
