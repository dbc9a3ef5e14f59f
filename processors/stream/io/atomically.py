"""Records that a command writes in one transaction: all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from processors.errors import AccessDenied, BrokerUnavailable, Fenced, TransactionAborted
from processors.stream.denials import denied, unless_denied
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
        AccessDenied: this principal may not use the id, or write to a topic. Nothing was written.
        BrokerUnavailable: nothing was written; trying again is safe.
        Fenced: another publisher took over, or it is unknown whether the commit took effect.
    """
    producer = transactional_producer(replace(settings, transaction_timeout=_TRANSACTION), transactional_id)
    persist(
        lambda: unless_denied(lambda: producer.init_transactions(_ATTEMPT), transactional_id, "WRITE"), DEADLINE
    )
    producer.begin_transaction()
    refused: list[AccessDenied] = []
    try:
        _produce(producer, records, refused)
        persist(lambda: producer.commit_transaction(_ATTEMPT), DEADLINE)
    except (TransactionAborted, KafkaException) as error:
        persist(lambda: producer.abort_transaction(_ATTEMPT), DEADLINE)
        if refused:
            raise refused[0] from error
        raise BrokerUnavailable(f"the records could not be written, and none of them was: {error}") from error
    except BrokerUnavailable as error:
        raise Fenced(
            f"it is unknown whether the records were written: {error}; check before you write them again"
        ) from error


def _produce(producer: Producer, records: Sequence[Outbound], refused: list[AccessDenied]) -> None:
    def note(error: KafkaError | None, message: Message) -> None:
        if error is not None and (found := denied(error, str(message.topic()), "WRITE")):
            refused.append(found)

    for record in records:
        at = -1 if record.partition is None else record.partition
        headers = cast(Any, list(record.headers))
        try:
            producer.produce(record.topic, record.value, record.key, at, note, headers=headers)
        except BufferError:
            producer.flush(DEADLINE)
            producer.produce(record.topic, record.value, record.key, at, note, headers=headers)
    if producer.flush(DEADLINE) > 0:
        raise TransactionAborted(f"the broker did not take all records within {DEADLINE:g} s")
