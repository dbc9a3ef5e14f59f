"""Forms batches: in order, at most as large as a transaction may be, and only of owned partitions."""

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
"""Beyond every offset: the position of a partition that is not owned."""

LARGEST_BATCH: Final = 4 * 1024 * 1024
"""Bytes of values after which no more records are added to a batch."""

_PORTION: Final = 50
"""Records that are added to a batch at a time."""


class Batches:
    """Polls a group's consumer. Rebalances happen only inside its calls.

    `nothing_between` is called at the end of a log: from a position to the end there is no record.
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
        """A batch in order of arrival, and the positions after it.

        A rebalance can run while it waits for records, so records of partitions that are not owned any more, and
        records below the position of their partition, are left out.
        """
        messages = self._arrived()
        self._assignment.settle()
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
        """Handles an event in place of a record.

        An end of partition comes after all records before it in the same poll.
        """
        at = cast(At, (message.topic(), message.partition()))
        if not is_end_of_partition(error):
            raise_if_serious(error)
            _log.warning("the consumer reports an error", processor=self._name, error=error.str())
        elif at in reached:
            self._nothing_between(at, reached[at], cast(int, message.offset()))

    def _arrived(self) -> list[Message]:
        """The available records, up to a batch. Waits for the first record only.

        Large records make small batches: nobody who can write to a topic must be able to keep the loop busy, or
        fill its memory, for so long that it counts as dead.
        """
        messages = self._consumer.consume(1, self._settings.poll)
        size, left = 0, self._settings.batch - len(messages)
        while messages and left and size < LARGEST_BATCH:
            more = self._consumer.consume(min(left, _PORTION), 0)
            messages += more
            size += sum(map(len, more))
            left = left - len(more) if len(more) == _PORTION else 0
        return messages
