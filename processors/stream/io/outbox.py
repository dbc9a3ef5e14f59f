"""Writes single records at once through a long-lived producer, each with a delivery report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from processors.errors import BrokerUnavailable
from processors.stream.io.clients import close, prompt_producer
from processors.stream.io.publish import Delivered
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound

Reported = Callable[[Delivered | BrokerUnavailable], None]


class Outbox:
    """Thread-safe. A record that was given up may still have been written, so retries must use the same ids."""

    def __init__(self, settings: StreamSettings, deadline: float) -> None:
        """`deadline` is how many seconds a record waits for the broker before it counts as not written."""
        self._settings, self._deadline = settings, deadline
        self._lock = threading.Lock()
        self._producer = prompt_producer(settings, deadline)
        self._closed = threading.Event()
        self._reports = threading.Thread(target=self._report, name="outbox", daemon=True)
        self._reports.start()

    def send(self, record: Outbound, reported: Reported) -> None:
        """Send one record. `reported` is called once, on a thread of the outbox: it must not block."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                reported(Delivered(str(message.topic()), message.partition() or 0, message.offset() or 0))
                return
            self._replace(producer)
            reported(BrokerUnavailable(f"`{record.topic}` cannot be written to: {error.str()}"))

        headers = cast(Any, list(record.headers))
        partition = -1 if record.partition is None else record.partition
        try:
            with self._lock:  # one that is replaced meanwhile may be closed already
                producer = self._producer
                producer.produce(record.topic, record.value, record.key, partition, delivered, headers=headers)
        except (KafkaException, BufferError) as error:
            reported(BrokerUnavailable(f"`{record.topic}` cannot be written to: {error}"))

    def close(self) -> None:
        """Write the remaining records, for at most the deadline."""
        self._closed.set()
        self._reports.join()
        self._producer.flush(self._deadline)
        close(self._producer)

    def _report(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                producer = self._producer
            producer.poll(0.1)

    def _replace(self, failed: Producer) -> None:
        """A failed producer may have lost its brokers for good, see contact.py: the next record uses a new one."""
        with self._lock:
            if self._producer is failed:
                self._producer = prompt_producer(self._settings, self._deadline)
                self._retired(failed)

    def _retired(self, producer: Producer) -> None:
        """Its pending records are reported too."""

        def finish() -> None:
            producer.flush(self._deadline)
            close(producer)

        threading.Thread(target=finish, name="outbox-retired", daemon=True).start()
