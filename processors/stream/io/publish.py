"""The only producer outside of transactions: it writes records and waits until the broker has them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from confluent_kafka import KafkaError, KafkaException, Message

from processors.errors import AccessDenied, BrokerUnavailable
from processors.stream.denials import denied
from processors.stream.io.clients import plain_producer
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound

DEADLINE = 10.0
"""Seconds until a broker that does not answer counts as unavailable."""


class Delivered(NamedTuple):
    """The position of a written record."""

    topic: str
    partition: int
    offset: int


class Publisher:
    """Writes records and waits for them, at least once.

    Records of a failed call may have been written, so a retry must use the same ids.
    """

    def __init__(self, settings: StreamSettings, deadline: float = DEADLINE) -> None:
        self._settings, self._deadline = settings, deadline
        self._producer = plain_producer(settings)

    def __call__(self, records: Sequence[Outbound]) -> list[Delivered]:
        """Returns the positions of all records, in order, once the broker has them.

        Raises BrokerUnavailable, after which all may be tried again, and AccessDenied where a topic may not be
        written to.
        """
        try:
            return self._write(records)
        except (BrokerUnavailable, AccessDenied):
            self._producer.purge()
            self._producer = plain_producer(self._settings)  # the old one may have lost its brokers: see contact.py
            raise

    def _write(self, records: Sequence[Outbound]) -> list[Delivered]:
        delivered: dict[int, Delivered] = {}
        failures: list[KafkaError] = []
        refused: list[AccessDenied] = []

        def note(number: int, error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failures.append(error)
                if found := denied(error, str(message.topic()), "WRITE"):
                    refused.append(found)
            else:
                delivered[number] = Delivered(str(message.topic()), message.partition() or 0, message.offset() or 0)

        try:
            for number, (topic, key, value, headers, _) in enumerate(records):
                self._producer.produce(
                    topic, value, key, headers=cast(Any, list(headers)), on_delivery=partial(note, number)
                )
            self._producer.flush(self._deadline)
        except (KafkaException, BufferError) as error:
            raise BrokerUnavailable(f"`{_topics(records)}` cannot be written to: {error}") from error
        if refused:
            raise refused[0]
        if len(delivered) < len(records):
            why = failures[0].str() if failures else f"no answer within {self._deadline:g} s"
            raise BrokerUnavailable(
                f"`{_topics(records)}` cannot be written to at {self._settings.bootstrap}: {why}"
            )
        return [delivered[number] for number in range(len(records))]

    def close(self) -> None:
        self._producer.close()


def send(settings: StreamSettings, record: Outbound) -> Delivered:
    """Write one record, and return its position. Raises as a Publisher does."""
    (delivered,) = Publisher(settings)([record])
    return delivered


def _topics(records: Sequence[Outbound]) -> str:
    return ", ".join(sorted({record.topic for record in records}))
