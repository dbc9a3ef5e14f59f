"""Which states a tick must look at, without looking at all of them.

This is an index and not part of the state. It is derived from every state that is restored or written, may name too
many states but never too few, and only the state decides what is due. An aborted batch leaves entries behind that a
later tick finds to be early. An entry is removed only when the committed state has nothing due under its key.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import islice

from processors.events.exceptions import Status
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.timers import next_due
from processors.exception_workflow.state.case import ExceptionCase, Held


class DueIndex:
    """INVARIANT: a key whose state has a timer is in `_firing`, or in the heap at its next due time or earlier."""

    def __init__(self, policy: ExceptionPolicy) -> None:
        self._policy = policy
        self._heap: list[tuple[int, str]] = []
        self._queued: dict[str, int] = {}
        self._firing: dict[str, None] = {}
        self._live: set[str] = set()
        self._unswept: dict[str, None] = {}
        self._swept = ""

    def note(self, held: Held) -> None:
        """A state was restored, or will be written if its batch commits."""
        due = next_due(held, self._policy)
        if due is not None and due < self._queued.get(held.key, due + 1):
            self._queued[held.key] = due
            heapq.heappush(self._heap, (due, held.key))
        if isinstance(held, ExceptionCase) and held.status is Status.APPROVED:
            self._live.add(held.key)
            self._unswept[held.key] = None

    def due(
        self, now: int, until: Callable[[str], int], state: Callable[[str], Held | None], most: int
    ) -> Iterator[Held]:
        """At most so many states with something due.

        `state` gives the committed state of a key. `until` is the time up to which timers may fire: `now`, or
        earlier while unread records may stop them.
        """
        found = 0
        for key in self._candidates(now):
            held = state(key)
            at = None if held is None else next_due(held, self._policy)
            if held is None or at is None or at > now:
                del self._firing[key]
                if held is not None:
                    self.note(held)
            elif at <= until(key):
                yield held
                found += 1
                if found == most:
                    return

    def _candidates(self, now: int) -> Iterator[str]:
        """First what fired before, then the heap; each key once."""
        yield from list(self._firing)
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            if self._queued.get(key) == due:
                del self._queued[key]
            if key not in self._firing:
                self._firing[key] = None
                yield key

    def unjudged(self, mark: str, state: Callable[[str], Held | None], most: int) -> Iterator[ExceptionCase]:
        """At most so many live exceptions that were last judged under another state of the matrix."""
        if mark != self._swept:
            self._swept, self._unswept = mark, dict.fromkeys(sorted(self._live))
        for key in list(islice(self._unswept, most)):
            held = state(key)
            if not isinstance(held, ExceptionCase) or held.status is not Status.APPROVED:
                self._live.discard(key)
                del self._unswept[key]
            elif held.mark == mark:
                del self._unswept[key]
            else:
                yield held

    def __len__(self) -> int:
        return len(self._heap) + len(self._firing)
