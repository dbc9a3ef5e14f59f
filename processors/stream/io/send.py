"""One record that a command or the gateway writes on its own, and where it came to lie."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from confluent_kafka import KafkaError, KafkaException, Message

from processors.errors import BrokerUnavailable
from processors.stream.io.clients import plain_producer
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound

DEADLINE = 10.0
"""Seconds until a broker that does not answer counts as unavailable."""


class Delivered(NamedTuple):
    topic: str
    partition: int
    offset: int


def send(settings: StreamSettings, record: Outbound) -> Delivered:
    """Write one record and wait until the broker has it.

    Raises BrokerUnavailable if it does not say so in time; the record may then still have been written, so whoever
    tries again must use the same ids.
    """
    producer = plain_producer(settings)
    places: list[Delivered] = []
    failures: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(error.str())
        else:
            places.append(Delivered(str(message.topic()), message.partition() or 0, message.offset() or 0))

    try:
        headers = cast(Any, list(record.headers))
        producer.produce(record.topic, record.value, record.key, headers=headers, on_delivery=delivered)
        producer.flush(DEADLINE)
    except (KafkaException, BufferError) as error:
        raise BrokerUnavailable(f"`{record.topic}` cannot be written to: {error}") from error
    if not places:
        why = failures[0] if failures else f"no answer within {DEADLINE:g} s"
        raise BrokerUnavailable(f"`{record.topic}` cannot be written to at {settings.bootstrap}: {why}")
    return places[0]
