"""Reports positions to the broker for lag tools and autoscalers, if another store than Kafka holds the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from processors.stream.loop.transaction import At

_log = structlog.get_logger(__name__)


def commit_positions(consumer: Consumer) -> Callable[[Mapping[At, int]], None]:
    """A function that commits next offsets without waiting. Failures are corrected by the next report."""

    def tell(positions: Mapping[At, int]) -> None:
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
        try:
            consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _log.debug("positions were not reported", error=str(error.args[0]))

    return tell
