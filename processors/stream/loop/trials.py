"""Records attempts to handle the records after an offset, in the metadata of that offset.

A record on which our own code fails must not stop a process for good: anybody who may write to a topic could stop
the guard. Nor may a bad release turn a topic into dead letters. So the first failure stops the process
(`CircuitBreaker`), and leaves a marker in the metadata of the group's offset. The next owner of the partition
handles its records one at a time: the one that fails alone is quarantined as poison, and the rest goes on. After a
few of them the process stops again, so that a bad release cannot drain a topic faster than it is restarted.

A process that is killed, such as by a crash below Python or by the watchdog, cannot leave a marker. So the first
records after a takeover are handled under a marker that is written before and removed after. A record that ended
several processes by itself is quarantined without another attempt.

A marker moves no offset, and the commit that moves the offset removes it. If it cannot be written, handling
continues without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from processors.stream.loop.health import CALLING, WORKING, Heartbeat, unwatched
from processors.stream.loop.transaction import At
from processors.stream.types import Inbound

GIVEN_UP: Final = 4
"""Attempts at an offset, the first in a batch and the others alone, after which the record is given up."""

_MARK: Final = "attempts="

_log = structlog.get_logger(__name__)


def written(attempts: int) -> str:
    """A marker as stored in an offset's metadata; empty for none."""
    return f"{_MARK}{attempts}" if attempts else ""


def read(metadata: str | None) -> int:
    """The number of attempts in a marker. Other metadata is ignored."""
    text = (metadata or "").removeprefix(_MARK)
    return int(text) if metadata != text and text.isascii() and text.isdigit() and len(text) < 4 else 0


class Trials:
    """One member's knowledge of its partitions. Belongs to the loop.

    `span` is how many offsets after a marker are handled one at a time: a batch, since the failure was in one.
    """

    def __init__(self, consumer: Consumer, span: int, alive: Heartbeat = unwatched) -> None:
        self._consumer, self._span, self._alive = consumer, span, alive
        self._attempts: dict[At, int] = {}
        self._suspected_until: dict[At, int] = {}
        self._untried: set[At] = set()

    def taken(self, starts: Mapping[At, int]) -> None:
        """Partitions were taken over at these offsets. Raises KafkaException if no broker answers."""
        wanted = [TopicPartition(topic, partition) for topic, partition in starts]
        for found in self._consumer.committed(wanted, 10.0) if wanted else []:
            at = (found.topic, found.partition)
            self._attempts[at] = read(found.metadata) if found.offset == starts[at] else 0
            self._suspected_until[at] = found.offset + self._span if self._attempts[at] else 0
        self._untried |= set(starts)

    def portions(self, batch: Sequence[Inbound]) -> list[list[Inbound]]:
        """The batch in order, in parts that are handled together: suspected records are alone."""
        if not any(self._suspected_until.values()):
            return [list(batch)]
        suspected = enumerate(map(self.suspects, batch))
        runs = groupby(zip(batch, suspected, strict=True), key=lambda one: one[1][0] if one[1][1] else -1)
        return [[record for record, _ in run] for _, run in runs]

    def suspects(self, record: Inbound) -> bool:
        """Whether the record is where an earlier attempt failed."""
        return record.offset < self._suspected_until.get((record.topic, record.partition), 0)

    def begin(self, portion: Sequence[Inbound], positions: Mapping[At, int]) -> None:
        """The portion is about to be handled. `positions` are the committed offsets."""
        if untried := self._untried_in(portion):
            self._write({at: (positions[at], self._attempts.get(at, 0) + 1) for at in untried})

    def passed(self, portion: Sequence[Inbound], positions: Mapping[At, int]) -> None:
        """The portion was handled; failures of its transaction are not its fault."""
        if untried := self._untried_in(portion):
            self._write({at: (positions[at], self._attempts.pop(at, 0)) for at in untried})
            self._untried -= untried

    def failed(self, portion: Sequence[Inbound], positions: Mapping[At, int]) -> None:
        """The process stops because of it."""
        tried = {(record.topic, record.partition) for record in portion}
        self._write({at: (positions[at], self._attempts.get(at, 0) + 1) for at in tried})

    def is_given_up(self, record: Inbound) -> bool:
        """Whether it ended too many processes to be tried again."""
        at = (record.topic, record.partition)
        return at in self._untried and self._attempts.get(at, 0) >= GIVEN_UP

    def _untried_in(self, portion: Sequence[Inbound]) -> set[At]:
        if not self._untried:  # as for all but the first batches: looking at every record would cost more than that
            return set()
        return {(record.topic, record.partition) for record in portion} & self._untried

    def _write(self, marks: Mapping[At, tuple[int, int]]) -> None:
        self._alive(CALLING)  # it has no deadline of its own, and waits for ever where the client lost its broker
        try:
            self._consumer.commit(offsets=list(_offsets(marks)), asynchronous=False)
        except KafkaException as error:
            _log.warning("a mark could not be written", error=str(error.args[0]))
        self._alive(WORKING)


def _offsets(marks: Mapping[At, tuple[int, int]]) -> Iterable[TopicPartition]:
    return (TopicPartition(*at, offset, written(attempts)) for at, (offset, attempts) in marks.items())
