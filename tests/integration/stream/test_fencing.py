"""A second process with the same identity takes over, and the first one knows that it must stop."""

from __future__ import annotations

import pytest
from examples.ground import Ground

from processors.errors import Fenced
from processors.stream.io.clients import close, reader, transactional_producer
from processors.stream.loop.transaction import KafkaTransaction
from processors.stream.types import Outbound, Outcome

pytestmark = pytest.mark.stack


def test_whoever_is_fenced_while_records_are_in_flight_stops(ground: Ground) -> None:
    """However librdkafka says it, it is Fenced: exit 70 and a fresh start, never a foreign exception."""
    identity, consumer = f"{ground.name}-0", reader(ground.settings, "fencing")
    first, second = (transactional_producer(ground.settings, identity) for _ in range(2))
    ground.topics(f"{ground.name}-out")
    older, newer = (KafkaTransaction(producer, consumer, "fencing", 20.0) for producer in (first, second))
    older.open(identity)
    older.begin()
    newer.open(identity)

    with pytest.raises(Fenced):
        _write_on(older, f"{ground.name}-out")

    for client in (consumer, first, second):
        close(client)


def _write_on(transaction: KafkaTransaction, topic: str) -> None:
    for _ in range(100):
        transaction.write(Outcome(), [Outbound(topic, b"key", b"value")])
        transaction.advance({})
