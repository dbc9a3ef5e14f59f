"""Quarantines each record that a table refuses once, however often the table is read again.

A compacted topic keeps a refused record until something newer is written under its key, so every process finds it
at every start. Only the owner of the processor's first partition quarantines it. A marker records how far that has
come: an offset of the table's topic, in the group of the processor's readers, which has no members.

The marker is set after the transaction that holds the dead letters. If a process ends between the two, the next one
quarantines the records once more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import structlog
from confluent_kafka import KafkaException, TopicPartition

from processors.stream.loop.table import Table
from processors.stream.loop.transaction import At, persist
from processors.stream.types import Reject

KEPT: Final = 1000
"""The most refused records that a process which does not own the first partition remembers, in case the owner
ends before it has quarantined them. The next process to start finds all others."""

RENEWED: Final = 86_400.0
"""Seconds after which a marker is set again: brokers forget the offsets of a group without members after days."""

_log = structlog.get_logger(__name__)


class Refusals:
    """The refused records of one table, whose reader belongs to the group of the markers. Belongs to the loop."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._noted: list[Reject] = []
        self._marks: dict[At, int] = {}
        self._renew_at = time.monotonic() + RENEWED

    def note(self, rejects: Sequence[Reject]) -> None:
        self._noted += rejects

    def due(self) -> Sequence[Reject]:
        """What is not in the dead letters yet. Only the owner may call this, which will write them.

        Raises BrokerUnavailable.
        """
        if self._noted:
            self._learn()
            self._noted = [r for r in self._noted if r.record.offset >= self._marks.get(_at(r), 0)]
        return self._noted

    def settled(self, *, owner: bool) -> None:
        """A transaction was committed; it contains what was due if this process is the owner."""
        if not owner:
            self._noted = self._noted[-KEPT:]
            return
        for reject in self._noted:
            self._marks[_at(reject)] = max(self._marks.get(_at(reject), 0), reject.record.offset + 1)
        if self._noted or time.monotonic() >= self._renew_at:
            self._set()
        self._noted = []

    def _learn(self) -> None:
        wanted = [TopicPartition(*at) for at in {_at(reject) for reject in self._noted}]
        found = persist(lambda: self._table.reader.committed(wanted, 10.0), 0.0)
        for one in found:
            at = one.topic, one.partition
            self._marks[at] = max(self._marks.get(at, 0), one.offset)

    def _set(self) -> None:
        self._renew_at = time.monotonic() + RENEWED
        if not self._marks:
            return
        try:
            offsets = [TopicPartition(*at, offset) for at, offset in self._marks.items()]
            self._table.reader.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            _log.warning("a mark could not be set", error=str(error.args[0]))


def _at(reject: Reject) -> At:
    return reject.record.topic, reject.record.partition
