"""What arrives, as batches: in order, as large as a transaction may be, and only of what this process owns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import structlog
from confluent_kafka import Consumer, KafkaError, Message

from processors.stream.loop.assignment import Assignment
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import At, is_end_of_partition, raise_if_serious
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound

_log = structlog.get_logger(__name__)

NOT_OWNED: Final = 2**63
"""Behind every offset: where a partition that is not ours has been read to."""

LARGEST_BATCH: Final = 4 * 1024 * 1024
"""Bytes of values after which no more records are added to a batch."""

_PORTION: Final = 50
"""Records that are added to a batch at a time."""


class Batches:
    """Polls a group's consumer. Rebalances happen in here and nowhere else.

    `nothing_between` is told where a log ends: from a position to its end no record stands there.
    """

    def __init__(
        self,
        consumer: Consumer,
        settings: StreamSettings,
        assignment: Assignment,
        nothing_between: Callable[[At, int, int], None],
        name: str,
    ) -> None:
        self._consumer, self._settings, self._name = consumer, settings, name
        self._assignment, self._nothing_between = assignment, nothing_between

    def next(self) -> tuple[list[Inbound], dict[At, int]]:
        """A batch in order of arrival, and the positions behind it.

        A rebalance can run while records are awaited, so what is not owned by now, and what lies below the position
        of its partition, is left out.
        """
        messages = self._arrived()
        self._assignment.raise_failure()
        reached = dict(self._assignment.positions)
        batch: list[Inbound] = []
        for message in messages:
            if (error := message.error()) is not None:
                self._hear(message, error, reached)
                continue
            record = Polled(message)
            at, offset = (record.topic, record.partition), record.offset
            if reached.get(at, NOT_OWNED) <= offset:
                reached[at] = offset + 1
                batch.append(record)
        return batch, {at: next_ for at, next_ in reached.items() if next_ != self._assignment.positions[at]}

    def _hear(self, message: Message, error: KafkaError, reached: Mapping[At, int]) -> None:
        """What came in place of a record. An end is behind everything that came before it in the same poll."""
        at = cast(At, (message.topic(), message.partition()))
        if not is_end_of_partition(error):
            raise_if_serious(error)
            _log.warning("the consumer reports an error", processor=self._name, error=error.str())
        elif at in reached:
            self._nothing_between(at, reached[at], cast(int, message.offset()))

    def _arrived(self) -> list[Message]:
        """What is there, up to a batch. Waits for the first record only.

        Large records make small batches: whoever can write to a topic must not be able to keep us busy, or filled,
        for so long that we are taken for dead.
        """
        messages = self._consumer.consume(1, self._settings.poll)
        size, left = 0, self._settings.batch - len(messages)
        while messages and left and size < LARGEST_BATCH:
            more = self._consumer.consume(min(left, _PORTION), 0)
            messages += more
            size += sum(map(len, more))
            left = left - len(more) if len(more) == _PORTION else 0
        return messages
