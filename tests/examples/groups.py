"""Consumer groups that are away, and how far they have read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from processors.bootstrap.processors import PROCESSORS
from processors.stream.settings import StreamSettings

_HAS_MEMBERS = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION, KafkaError.STALE_MEMBER_EPOCH)


def have_read(settings: StreamSettings, topic: str, ends: Mapping[int, int]) -> None:
    """Let every processor that is away, and has begun these partitions, have read so far.

    One that has not begun them begins where the log does, and one that runs reads by itself.
    """
    for group in PROCESSORS:
        with closing(Consumer({"bootstrap.servers": settings.bootstrap, "group.id": group})) as consumer:
            committed = consumer.committed([TopicPartition(topic, partition) for partition in ends], timeout=30)
            behind = [at.partition for at in committed if 0 <= at.offset < ends[at.partition]]
            if behind:
                _commit(consumer, [TopicPartition(topic, partition, ends[partition]) for partition in behind])


def _commit(consumer: Consumer, at: list[TopicPartition]) -> None:
    try:
        consumer.commit(offsets=at, asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() not in _HAS_MEMBERS:
            raise
