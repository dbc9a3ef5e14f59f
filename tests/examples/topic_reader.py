"""What topics hold, for tests that look again and again until something is there."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from processors.errors import BrokerUnavailable
from processors.stream.io import clients
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import is_end_of_partition
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound

SILENT = 30.0
"""Seconds without an answer after which a client may have lost its broker for good: see contact.py."""


class TopicReader:
    """Reads a topic to its end, and the next time from there on. Several threads may ask.

    What was read once stays, whatever becomes of it on the topic, until it is to be forgotten. A test that waits
    reads a topic a hundred times: from its beginning, that would cost more than what it waits for.
    """

    def __init__(self, settings: StreamSettings, name: str) -> None:
        self._settings, self._name = settings, name
        self._records: dict[str, dict[int, list[Inbound]]] = defaultdict(lambda: defaultdict(list))
        self._values: dict[str, dict[tuple[int, int], Any]] = defaultdict(dict)
        self._lock = threading.Lock()
        self._client = clients.reader(settings, name, brief=True)

    def read(self, topic: str) -> list[Inbound]:
        """All that was ever committed on it, partition by partition. Raises BrokerUnavailable."""
        with self._lock:
            try:
                self._read_on(topic)
            except BrokerUnavailable:
                self._replace_client()
                self._read_on(topic)
            known = self._records[topic]
            return [record for partition in sorted(known) for record in known[partition]]

    def decoded(
        self, topic: str, decode: Callable[[bytes | None], Any], keys: Collection[bytes] | None = None
    ) -> list[Any]:
        """The values of all its records, or of those with these keys. A topic has one function to decode it."""
        records, values = self.read(topic), self._values[topic]
        wanted = [record for record in records if keys is None or record.key in keys]
        for record in wanted:
            if (at := (record.partition, record.offset)) not in values:
                values[at] = decode(record.value)
        return [values[record.partition, record.offset] for record in wanted]

    def forget(self, topic: str) -> None:
        """Read it from its beginning the next time, wherever that is then: a client remembers where it was."""
        with self._lock:
            self._records.pop(topic, None)
            self._values.pop(topic, None)
            self._replace_client()

    def close(self) -> None:
        self._client.close()

    def _replace_client(self) -> None:
        self._client.close()
        self._client = clients.reader(self._settings, self._name, brief=True)

    def _read_on(self, topic: str) -> None:
        known = self._records[topic]
        unread = set(range(clients.partition_count(self._client, topic)))
        ends = {n: known[n][-1].offset + 1 if known[n] else OFFSET_BEGINNING for n in unread}
        self._client.assign([TopicPartition(topic, n, offset) for n, offset in ends.items()])
        heard = time.monotonic()
        while unread:
            message = self._client.poll(0.2)
            if message is None:
                if time.monotonic() > heard + SILENT:
                    raise BrokerUnavailable(f"nothing was heard of `{topic}` for {SILENT:g} s")
                continue
            heard = time.monotonic()
            if (error := message.error()) is None:
                record = Polled(message)
                known[record.partition].append(record)
            elif is_end_of_partition(error):
                unread.discard(message.partition())
            else:
                assert error.code() != KafkaError._AUTO_OFFSET_RESET, f"`{topic}` is another one; forget it first"
        self._client.unassign()
