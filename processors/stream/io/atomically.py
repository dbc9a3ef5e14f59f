"""Records that a command writes in one transaction: all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from confluent_kafka import KafkaException, Producer

from processors.errors import BrokerUnavailable, Fenced, TransactionAborted
from processors.stream.io.clients import transactional_producer
from processors.stream.loop.transaction import persist
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound

DEADLINE = 30.0
"""Seconds for each step. A person is waiting for the command."""

_TRANSACTION = 60.0
_ATTEMPT = 10.0


def publish_atomically(settings: StreamSettings, transactional_id: str, records: Sequence[Outbound]) -> None:
    """Write the records so that readers see all of them at once.

    Another publisher with the same id at the same time is fenced, so that two publishers of one thing cannot mix.

    Raises:
        BrokerUnavailable: nothing was written; trying again is safe.
        Fenced: another publisher took over, or it is unknown whether the commit took effect.
    """
    producer = transactional_producer(replace(settings, transaction_timeout=_TRANSACTION), transactional_id)
    persist(lambda: producer.init_transactions(_ATTEMPT), DEADLINE)
    producer.begin_transaction()
    try:
        _produce(producer, records)
        persist(lambda: producer.commit_transaction(_ATTEMPT), DEADLINE)
    except (TransactionAborted, KafkaException) as error:
        persist(lambda: producer.abort_transaction(_ATTEMPT), DEADLINE)
        raise BrokerUnavailable(f"the records could not be written, and none of them was: {error}") from error
    except BrokerUnavailable as error:
        raise Fenced(
            f"it is unknown whether the records were written: {error}; check before you write them again"
        ) from error


def _produce(producer: Producer, records: Sequence[Outbound]) -> None:
    for record in records:
        at = -1 if record.partition is None else record.partition
        headers = cast(Any, list(record.headers))
        try:
            producer.produce(record.topic, record.value, record.key, at, headers=headers)
        except BufferError:
            producer.flush(DEADLINE)
            producer.produce(record.topic, record.value, record.key, at, headers=headers)
    if producer.flush(DEADLINE) > 0:
        raise TransactionAborted(f"the broker did not take all records within {DEADLINE:g} s")
