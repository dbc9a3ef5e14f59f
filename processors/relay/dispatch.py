"""Which delivery goes next: in order within a key, at most so many at once, and only what the target may get.

This is the relay's memory between two commits. Nothing in it does I/O or reads a clock; the loop's thread and the
courier's share it under one lock.
"""

from __future__ import annotations

import heapq
import threading
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from processors.relay.delivery import Delivery, Reply
from processors.relay.pace import Pace, after
from processors.relay.target_status import Mode, Pauses, TargetStatus, admits, judged, resumed

LineKey = tuple[str, str]
"""Topic and key of an event: events with the same key stay in order."""

Place = tuple[int, int, str]
"""Partition, offset and state key: the order within a line."""


class Change(NamedTuple):
    """What an attempt changed in a delivery; `after` is None once it is accepted. Not yet committed."""

    before: Delivery
    after: Delivery | None
    reply: Reply


class Attempt(NamedTuple):
    """A delivery that is being attempted. `probe` marks a test whether a failed target answers again."""

    delivery: Delivery
    probe: bool


class Dispatch:
    """Pending deliveries of one target: the committed state, plus the uncommitted attempts since."""

    def __init__(self, pace: Callable[[Delivery], Pace], pauses: Pauses, standing: TargetStatus) -> None:
        self._pace, self._pauses = pace, pauses
        self._lock = threading.Lock()
        self._pending: dict[str, Delivery] = {}
        self._lines: dict[LineKey, list[Place]] = {}
        self._due: list[tuple[int, Place]] = []
        self._in_flight: set[str] = set()
        self._unsaved: dict[str, Change] = {}
        self.standing = standing

    def sync(self, held: Mapping[str, Delivery]) -> None:
        """Take over the committed state: add what is new, and remove what this process does not own any more."""
        with self._lock:
            for key in self._pending.keys() - held.keys():
                self._forget(key)
            for key in self._unsaved.keys() - held.keys():
                del self._unsaved[key]
            for key, delivery in held.items():
                if key not in self._unsaved and self._pending.get(key) is not delivery:
                    self._forget(key)
                    if delivery.pending:
                        self._remember(key, delivery)

    def adopt(self, standings: Iterable[TargetStatus]) -> None:
        """Take over the target's status if another partition has a newer one for the same address."""
        with self._lock:
            same = [standing for standing in standings if standing.endpoint == self.standing.endpoint]
            self.standing = max((self.standing, *same), key=lambda standing: standing.changed_at)

    def resume(self, now: int) -> None:
        with self._lock:
            self.standing = resumed(self.standing, now)

    def take(self, now: int) -> Attempt | None:
        """The next delivery to attempt, which is in flight from now on; None if there is none."""
        with self._lock:
            if not admits(self.standing, now, in_flight=bool(self._in_flight)):
                return None
            while self._due and self._due[0][0] <= now:
                _, (_, _, key) = heapq.heappop(self._due)
                delivery = self._pending.get(key)
                if delivery is None or key in self._in_flight or delivery.next_at > now:
                    continue  # an outdated entry
                if self._lines[_line(delivery)][0] == _place(delivery):
                    self._in_flight.add(key)
                    return Attempt(delivery, self.standing.mode is not Mode.ACTIVE)
            return None

    def finish(self, attempt: Attempt, reply: Reply, now: int) -> None:
        """Record the result of an attempt. Deliveries that this process does not own any more are ignored."""
        with self._lock:
            key = attempt.delivery.state_key
            self._in_flight.discard(key)
            self.standing = judged(self.standing, reply, self._pauses, now, probe=attempt.probe)
            before = self._pending.get(key)
            if before is None:
                return
            left = after(before, reply, self._pace(before), now)
            self._unsaved[key] = Change(before, left, reply)
            self._forget(key)
            if left is not None and left.pending:
                self._remember(key, left)

    def abandon(self, attempt: Attempt) -> None:
        """An attempt was cancelled with unknown result, so it is repeated."""
        with self._lock:
            key = attempt.delivery.state_key
            self._in_flight.discard(key)
            if (delivery := self._pending.get(key)) is not None:
                self._offer(delivery)

    def next_at(self) -> int | None:
        """When `take` may next return something, if nothing else happens; None for never."""
        with self._lock:
            if not self._due or self.standing.mode is Mode.DISABLED:
                return None
            return max(self._due[0][0], self.standing.not_before)

    def unsaved(self) -> Mapping[str, Change]:
        with self._lock:
            return dict(self._unsaved)

    def saved(self, changes: Iterable[Change]) -> None:
        """These are committed."""
        with self._lock:
            for change in changes:
                key = change.before.state_key
                if self._unsaved.get(key) is change:
                    del self._unsaved[key]

    def idle(self) -> bool:
        """Whether nothing is in flight, and every attempt is committed."""
        with self._lock:
            return not self._in_flight and not self._unsaved

    def waiting(self) -> list[Delivery]:
        with self._lock:
            return list(self._pending.values())

    def _remember(self, key: str, delivery: Delivery) -> None:
        self._pending[key] = delivery
        line = self._lines.setdefault(_line(delivery), [])
        insort(line, _place(delivery))
        if line[0] == _place(delivery):
            self._offer(delivery)

    def _forget(self, key: str) -> None:
        """Remove it from its line; the next one moves up."""
        if (delivery := self._pending.pop(key, None)) is None:
            return
        line = self._lines[_line(delivery)]
        line.remove(_place(delivery))
        if not line:
            del self._lines[_line(delivery)]
        elif (head := self._pending.get(line[0][2])) is not None:
            self._offer(head)

    def _offer(self, delivery: Delivery) -> None:
        heapq.heappush(self._due, (delivery.next_at, _place(delivery)))


def _line(delivery: Delivery) -> LineKey:
    return delivery.topic, delivery.order_key


def _place(delivery: Delivery) -> Place:
    return delivery.partition, delivery.offset, delivery.state_key
