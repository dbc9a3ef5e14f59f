"""Reads topics without a group: from their present end onwards, or from the beginning to the end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from processors.errors import BrokerUnavailable, Fenced
from processors.stream.denials import unreadable
from processors.stream.io.clients import partition_count, reader
from processors.stream.io.contact import Contact
from processors.stream.io.to_end import available, to_end
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import is_end_of_partition, persist, raise_if_serious
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound
from processors.stream.wire.partitioner import partition_of

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds without any answer after which the broker counts as unavailable."""

_MOST_WAITING = 2_000
"""The most records of one partition that may wait for those of others."""


class Follower:
    """Sees committed records only. Use it from one thread, and close it."""

    def __init__(self, settings: StreamSettings, name: str, *, brief: bool = False) -> None:
        """A `brief` one is for reading to the end only, which it notices sooner."""
        self._settings = settings
        self._consumer: Consumer = reader(settings, name, brief=brief)
        self._reached: set[tuple[str, int | None]] = set()
        self._begins: dict[tuple[str, int], int] = {}

    def from_end(self, topics: Sequence[str]) -> None:
        """Start after the last committed record of every partition."""
        positions = [at for topic in topics for at in self._ends(topic)]
        self._consumer.assign(positions)

    def from_beginning(self, topics: Sequence[str], partitions: Sequence[int] | None = None) -> None:
        """Start at the first record of the given partitions of each topic; of all of them by default."""
        self._consumer.assign(
            [
                TopicPartition(topic, number, OFFSET_BEGINNING)
                for topic in topics
                for number in partitions or range(self.partitions(topic))
            ]
        )

    def from_beginning_of(self, topic: str, key: bytes) -> None:
        """Start at the first record of the partition to which `key` belongs."""
        self.from_beginning([topic], [partition_of(key, self.partitions(topic))])

    def from_offset(self, topic: str, partition: int, offset: int) -> None:
        """Start at this offset of one partition, or at the first record after it that still exists.

        An offset beyond the end is not corrected: reading raises OffsetsLost.
        """
        low, _ = self._bounds(topic, partition)
        self._consumer.assign([TopicPartition(topic, partition, max(offset, low))])

    def from_offsets(self, topic: str, offsets: Mapping[int, int]) -> set[int]:
        """Start at these offsets.

        Returns the partitions whose log begins later by now, and starts nowhere if there are any.
        """
        gone = {number for number, offset in offsets.items() if offset < self._bounds(topic, number)[0]}
        if not gone:
            self._consumer.assign([TopicPartition(topic, number, offset) for number, offset in offsets.items()])
        return gone

    def positions(self, topic: str) -> dict[int, int]:
        """For each partition of the topic that was started by time, the offset of the next record."""
        begins = {number: offset for (of, number), offset in self._begins.items() if of == topic}
        here = self._consumer.position([TopicPartition(topic, number) for number in begins])
        return {at.partition: max(at.offset, begins[at.partition]) for at in here}

    def ends(self, topic: str) -> dict[int, int]:
        """For each partition of the topic, the offset after its last committed record. Raises BrokerUnavailable."""
        return {at.partition: at.offset for at in self._ends(topic)}

    def partitions(self, topic: str) -> int:
        """The number of partitions.

        Raises BrokerUnavailable; SettingsInvalid if there is no such topic, and AccessDenied if it may not be seen.
        """
        return partition_count(self._consumer, topic)

    def from_time(self, topics: Sequence[str], since: int) -> None:
        """Start, in every partition, at the first record whose timestamp is `since` or later (milliseconds, UTC).

        A partition without such a record is started after its last one.
        """
        ends = {(at.topic, at.partition): at.offset for topic in topics for at in self._ends(topic)}
        times = [TopicPartition(topic, number, since) for topic, number in ends]
        found = _told(
            lambda: self._consumer.offsets_for_times(times, timeout=PATIENCE), "where the topics were then"
        )
        for at in found:
            at.offset = at.offset if at.offset >= 0 else ends[at.topic, at.partition]
        self._begins = {(at.topic, at.partition): at.offset for at in found}
        self._consumer.assign(found)

    def follow(self, until: float) -> Iterator[Inbound]:
        """Records as they arrive, until the monotonic clock reads `until`."""
        while (left := until - time.monotonic()) > 0:
            yield from self.batch(min(left, 0.1))

    def batch(self, patience: float) -> Sequence[Inbound]:
        """The available records, at most 500; if there are none, the first that arrive within `patience`
        seconds. Raises AccessDenied if a topic may not be read."""
        records: list[Inbound] = []
        for message in available(self._consumer, 500, patience):
            if (error := message.error()) is None:
                records.append(Polled(message))
            elif is_end_of_partition(error):
                self._reached.add((str(message.topic()), message.partition()))
            elif refusal := unreadable(error, message.topic()):
                raise refusal
            else:
                raise_if_serious(error)
        return records

    @property
    def caught_up(self) -> bool:
        """Whether `batch` has reached the end of every assigned partition at least once."""
        return self._reached >= {(at.topic, at.partition) for at in self._consumer.assignment()}

    def read(self) -> Iterator[Inbound]:
        """Every record up to the end of each assigned partition.

        Raises AccessDenied if a topic may not be read, and BrokerUnavailable if nothing arrives for a while and the
        end is not reached.
        """
        unread = {(at.topic, at.partition): 0 for at in self._consumer.assignment()}
        for records in to_end(self._consumer, unread, PATIENCE, "no broker has answered"):
            yield from records

    def read_in_time_order(self) -> Iterator[Inbound]:
        """As `read`, but over all partitions in the order of the broker's time.

        A partition is paused while many of its records wait for others, so memory does not grow with the topic.
        """
        assigned = self._consumer.assignment()
        waiting = {(at.topic, at.partition): deque[Inbound]() for at in assigned}
        paused: set[tuple[str, int]] = set()
        heard = time.monotonic()
        while True:
            while all(records or at in self._reached for at, records in waiting.items()):
                heads = [(records[0].timestamp, at) for at, records in waiting.items() if records]
                if not heads:
                    return
                yield waiting[min(heads)[1]].popleft()
            came = self.batch(0.2)
            for record in came:
                waiting[record.topic, record.partition].append(record)
            heard = time.monotonic() if came else heard
            if not came and time.monotonic() - heard > PATIENCE:
                raise BrokerUnavailable(f"no broker has answered for {PATIENCE:g} s")
            full = {at for at, records in waiting.items() if len(records) > _MOST_WAITING}
            self._consumer.pause([TopicPartition(*at) for at in full - paused])
            self._consumer.resume([TopicPartition(*at) for at in paused - full])
            paused = full

    def contact(self, topic: str) -> Contact:
        """Whether brokers still answer, for long-running followers: asks about a topic that is followed."""
        return Contact(self._settings, {topic: self._consumer})

    def close(self) -> None:
        self._consumer.close()

    def _ends(self, topic: str) -> list[TopicPartition]:
        numbers = range(self.partitions(topic))
        return [TopicPartition(topic, number, self._bounds(topic, number)[1]) for number in numbers]

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that still exists, and the one after the last committed record."""
        at, call = TopicPartition(topic, partition), self._consumer.get_watermark_offsets
        return _told(lambda: call(at, timeout=PATIENCE, cached=False), f"where `{topic}` begins and ends")


def _told(call: Callable[[], T], what: str) -> T:
    """What a broker answers. Raises BrokerUnavailable.

    A broker may be named as the leader of a partition a moment before it takes that up: after a topic was created,
    and while leaders change. So whatever passes is asked again.
    """
    try:
        return persist(call, PATIENCE)
    except (BrokerUnavailable, Fenced) as error:
        raise BrokerUnavailable(f"no broker tells {what}: {error}") from error
