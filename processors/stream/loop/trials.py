"""What became of attempts to handle the records behind an offset, kept where the offset is kept.

A record on which our own code fails must not stop a process for good: whoever may write to a topic could stop the
guard. Nor may a bad release empty a topic into the dead letters. So the first failure stops the process
(`CircuitBreaker`), and leaves a mark in the metadata of the group's offset. Whoever takes the partition over then
hands in its records one at a time: the one that fails alone is quarantined as poison, and the rest goes on. After a
few of them the process stops again, so that a bad release cannot drain a topic faster than it is started afresh.

What ends a process without a word, such as a crash below Python or the watchdog, cannot leave a mark behind. So
the first records after a takeover are handled under a mark that is made before and removed after. One that ended
several processes by itself is quarantined without another look.

A mark moves no offset, and the commit that moves the offset drops it. One that cannot be written is done without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from processors.stream.loop.transaction import At
from processors.stream.types import Inbound

GIVEN_UP: Final = 4
"""Attempts at an offset, the first in a batch and the others alone, after which the record is not tried again."""

_MARK: Final = "attempts="

_log = structlog.get_logger(__name__)


def written(attempts: int) -> str:
    """A mark as it stands in an offset's metadata; empty for none."""
    return f"{_MARK}{attempts}" if attempts else ""


def read(metadata: str | None) -> int:
    """The attempts that a mark tells. Whatever else stands there is none of ours."""
    text = (metadata or "").removeprefix(_MARK)
    return int(text) if metadata != text and text.isascii() and text.isdigit() and len(text) < 4 else 0


class Trials:
    """One member's knowledge of its partitions. Belongs to the loop; `span` is how many offsets behind a mark are
    handled one at a time: a batch, since the failure lay in one."""

    def __init__(self, consumer: Consumer, span: int) -> None:
        self._consumer, self._span = consumer, span
        self._attempts: dict[At, int] = {}
        self._suspected_until: dict[At, int] = {}
        self._untried: set[At] = set()

    def taken(self, starts: Mapping[At, int]) -> None:
        """Partitions were taken over at these offsets. Raises KafkaException where nobody can be asked."""
        wanted = [TopicPartition(topic, partition) for topic, partition in starts]
        for found in self._consumer.committed(wanted, 10.0) if wanted else []:
            at = (found.topic, found.partition)
            self._attempts[at] = read(found.metadata) if found.offset == starts[at] else 0
            self._suspected_until[at] = found.offset + self._span if self._attempts[at] else 0
        self._untried |= set(starts)

    def portions(self, batch: Sequence[Inbound]) -> list[list[Inbound]]:
        """The batch in order, in runs that are handed in together: what is suspected stands alone."""
        if not any(self._suspected_until.values()):
            return [list(batch)]
        suspected = enumerate(map(self.suspects, batch))
        runs = groupby(zip(batch, suspected, strict=True), key=lambda one: one[1][0] if one[1][1] else -1)
        return [[record for record, _ in run] for _, run in runs]

    def suspects(self, record: Inbound) -> bool:
        """Whether it lies where an earlier attempt failed."""
        return record.offset < self._suspected_until.get((record.topic, record.partition), 0)

    def begin(self, portion: Sequence[Inbound], positions: Mapping[At, int]) -> None:
        """The portion is about to be handled. `positions` are the committed offsets."""
        if untried := self._untried_in(portion):
            self._write({at: (positions[at], self._attempts.get(at, 0) + 1) for at in untried})

    def passed(self, portion: Sequence[Inbound], positions: Mapping[At, int]) -> None:
        """It was handled; what its transaction meets with is not its fault."""
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
        try:
            self._consumer.commit(offsets=list(_offsets(marks)), asynchronous=False)
        except KafkaException as error:
            _log.warning("a mark could not be written", error=str(error.args[0]))


def _offsets(marks: Mapping[At, tuple[int, int]]) -> Iterable[TopicPartition]:
    return (TopicPartition(*at, offset, written(attempts)) for at, (offset, attempts) in marks.items())
