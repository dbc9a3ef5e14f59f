"""A table: a compacted topic that every process reads completely before its first batch, and then follows.

It has a consumer of its own, without a group, on all partitions: one that is told of the end at once, then one that
follows. There is no thread and no lock: the loop reads new records before each batch, and a batch sees one snapshot
throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from processors.stream.io.clients import partition_count
from processors.stream.io.to_end import MOST_AT_ONCE, to_end
from processors.stream.loop.health import WORKING, Heartbeat, unwatched
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import At, raise_if_serious
from processors.stream.types import Fold, Inbound, LogSource, Reject

_log = structlog.get_logger(__name__)


class Table:
    """Feeds one fold and holds its snapshot.

    Records stay pending until the fold has taken them. A fold that raises Unavailable (its schemas cannot be looked
    up) gets the same ones again, so `Fold.apply` must be idempotent.
    """

    def __init__(self, reader: Consumer, fold: Fold) -> None:
        self.reader, self._fold = reader, fold
        self._pending: list[Inbound] = []
        self._unread: dict[At, int] = {}
        self._partitions = 0
        self._follows = False
        self.topic = fold.topic
        self.snapshot: Any = None
        self.revision = 0

    def load(self, deadline: float, alive: Heartbeat = unwatched, *, persistent: bool = False) -> Sequence[Reject]:
        """Read to the end. May be called again after Unavailable, and then continues.

        Raises:
            BrokerUnavailable: nothing came for `deadline` seconds.
            SettingsInvalid: there is no such topic; AccessDenied if it may not be read. A `persistent` reader waits
                on where it may be seen and not read.
        """
        if not self._partitions:
            self._partitions = partition_count(self.reader, self.topic)
            self._unread = {(self.topic, n): 0 for n in range(self._partitions)}
            self.reader.assign([TopicPartition(*at, OFFSET_BEGINNING) for at in self._unread])
        silent = f"table `{self.topic}` was silent"
        for records in to_end(self.reader, self._unread, deadline, silent, alive, persistent=persistent):
            self._pending += records
        alive(WORKING)
        rejects = self._apply()
        self.snapshot = self._fold.snapshot()
        _log.info("table loaded", topic=self.topic, rejects=len(rejects))
        return rejects

    def follow(self, opened: Callable[[], Consumer]) -> None:
        """Go on with another reader, and close the one that has loaded. Does nothing the second time."""
        if self._follows:
            return
        here = self.reader.position([TopicPartition(self.topic, n) for n in range(self._partitions)])
        for at in here:
            at.offset = at.offset if at.offset >= 0 else OFFSET_BEGINNING  # nothing was there to read
        loader, self.reader, self._follows = self.reader, opened(), True
        self.reader.assign(here)
        loader.close()

    def drain(self) -> Sequence[Reject]:
        """Take new records, without waiting."""
        while self._take() >= MOST_AT_ONCE:
            pass
        return self._apply() if self._pending else ()

    def close(self) -> None:
        self.reader.close()

    def _take(self) -> int:
        messages = self.reader.consume(MOST_AT_ONCE, 0)
        for message in messages:
            if (error := message.error()) is None:
                self._pending.append(Polled(message))
            else:
                raise_if_serious(error)
        return len(messages)

    def _apply(self) -> Sequence[Reject]:
        rejects = self._fold.apply(self._pending)
        self._pending = []
        if isinstance(self._fold, LogSource):
            for entry in self._fold.log_entries():
                (_log.error if entry.is_error else _log.info)(entry.event, **entry.facts)
        self.snapshot = self._fold.snapshot()
        self.revision += 1
        return rejects
