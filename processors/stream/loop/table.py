"""A table: a compacted topic that every process reads whole, before its first batch and then as it grows.

It has a consumer of its own, without a group, on all partitions. There is no thread and no lock: the loop drains it
before each batch, and a batch sees one snapshot from beginning to end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from processors.errors import BrokerUnavailable
from processors.stream.io.clients import partition_count
from processors.stream.loop.health import WORKING, Beat, unwatched
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import is_end_of_partition, raise_if_serious
from processors.stream.types import Fold, Inbound, Reject

_log = structlog.get_logger(__name__)


class Table:
    """Feeds one fold and holds its snapshot.

    Records stay pending until the fold has taken them, so a fold that raises Unavailable (its schemas cannot be
    looked up) is given the same ones again: `Fold.apply` must not mind.
    """

    def __init__(self, reader: Consumer, fold: Fold) -> None:
        self._reader, self._fold = reader, fold
        self._pending: list[Inbound] = []
        self._unread: set[int] = set()
        self._assigned = False
        self.topic = fold.topic
        self.snapshot: Any = None
        self.revision = 0

    def load(self, deadline: float, alive: Beat = unwatched) -> Sequence[Reject]:
        """Read to the end. May be called again after Unavailable; goes on where it was.

        Raises:
            BrokerUnavailable: nothing came for `deadline` seconds.
            SettingsInvalid: there is no such topic.
        """
        if not self._assigned:
            self._unread = set(range(partition_count(self._reader, self.topic)))
            self._reader.assign([TopicPartition(self.topic, n, OFFSET_BEGINNING) for n in self._unread])
            self._assigned = True
        heard = time.monotonic()
        while self._unread:
            alive()
            news = self._read(0.2)
            heard = time.monotonic() if news else heard
            if time.monotonic() - heard > deadline:
                raise BrokerUnavailable(f"table `{self.topic}` was silent for {deadline:g} s")
        alive(WORKING)
        rejects = self._apply()
        self.snapshot = self._fold.snapshot()
        _log.info("table loaded", topic=self.topic, rejects=len(rejects))
        return rejects

    def drain(self) -> Sequence[Reject]:
        """Take what has come since, without waiting."""
        while self._read(0) >= 1000:
            pass
        return self._apply() if self._pending else ()

    def close(self) -> None:
        self._reader.close()

    def _read(self, timeout: float) -> int:
        messages = self._reader.consume(1000, timeout)
        for message in messages:
            if (error := message.error()) is None:
                self._pending.append(Polled(message))
            else:
                raise_if_serious(error)
                self._note_end(message)
        return len(messages)

    def _note_end(self, message: Message) -> None:
        error = message.error()
        if error is not None and is_end_of_partition(error):
            self._unread.discard(cast(int, message.partition()))

    def _apply(self) -> Sequence[Reject]:
        rejects = self._fold.apply(self._pending)
        self._pending = []
        self.snapshot = self._fold.snapshot()
        self.revision += 1
        return rejects
