"""Records that are written outside of any transaction, by a producer that stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message

from processors.errors import BrokerUnavailable
from processors.stream.io.clients import plain_producer
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound


class Publisher:
    """Writes records and waits for them. At least once: what was tried before a failure may have been written."""

    def __init__(self, settings: StreamSettings, deadline: float = 10.0) -> None:
        self._settings, self._deadline = settings, deadline
        self._producer = plain_producer(settings)

    def __call__(self, records: Sequence[Outbound]) -> None:
        """Returns when the broker has all of them. Raises BrokerUnavailable, after which all may be tried again."""
        try:
            self._write(records)
        except BrokerUnavailable:
            self._producer.purge()
            self._producer = plain_producer(self._settings)  # the old one may have lost its brokers: see contact.py
            raise

    def _write(self, records: Sequence[Outbound]) -> None:
        failures: list[str] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error.str())

        try:
            for topic, key, value, headers, _ in records:
                self._producer.produce(topic, value, key, headers=cast(Any, list(headers)), on_delivery=delivered)
            left = self._producer.flush(self._deadline)
        except (KafkaException, BufferError) as error:
            raise BrokerUnavailable(f"records cannot be written: {error}") from error
        if left or failures:
            raise BrokerUnavailable(f"records cannot be written: {(failures or ['no answer in time'])[0]}")

    def close(self) -> None:
        self._producer.close()
