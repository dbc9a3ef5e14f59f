"""Up to which time the inputs have been read: what must be known before a clock rings.

The record that stops a clock may wait unread, after an outage for hours. A partition has been read up to a moment
once nothing lies behind our position, and the broker says so after that moment; else only as far as the last record
that was handled, since the broker's append times do not go back within a partition.

An open transaction hides its records, and those behind it, until it is decided. So the end that counts is that of
the log, not that of what may be read; and a position, which stands behind the last record, is moved on over what no
consumer is ever given (markers of transactions, what was aborted) by the consumer's own end-of-partition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka.admin import AdminClient

from processors.errors import BrokerUnavailable
from processors.stream.io import clients
from processors.stream.loop.transaction import At, persist
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound


class Watermark:
    """Facts about logs, which neither an abort nor a rebalance makes untrue."""

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._admin: AdminClient | None = None
        self._gaps: dict[At, tuple[int, int]] = {}
        self._handled: dict[At, int] = {}

    def nothing_between(self, at: At, position: int, end: int) -> None:
        """The consumer came from `position` to `end` without a record."""
        self._gaps[at] = position, end

    def handled(self, batch: Sequence[Inbound]) -> None:
        """A batch is committed."""
        self._handled |= {(record.topic, record.partition): record.timestamp for record in batch}

    def read_until(self, now: int, positions: Mapping[At, int], batch: Sequence[Inbound] = ()) -> Mapping[int, int]:
        """The time up to which every input of a partition number is read, as milliseconds since the epoch.

        `batch` is what has been read and not handled yet; the positions lie behind it. `now` must lie before the
        call. Raises BrokerUnavailable.
        """
        ends = self._ends(list(positions))
        latest = self._handled | {(record.topic, record.partition): record.timestamp for record in batch}
        until: dict[int, int] = {}
        for at, position in positions.items():
            read = now if self._beyond_gap(at, position) >= ends[at] else latest.get(at, 0) - 1
            until[at[1]] = min(read, until.get(at[1], now))
        return until

    def _beyond_gap(self, at: At, position: int) -> int:
        start, end = self._gaps.get(at, (0, 0))
        return max(position, end) if position >= start else position

    def _ends(self, partitions: Sequence[At]) -> Mapping[At, int]:
        client = self._admin = self._admin or clients.admin(self._settings)
        try:
            return persist(lambda: clients.ends(client, partitions), 0.0)
        except BrokerUnavailable:
            self._admin = None  # it may go on asking whom it knew before a restart
            raise
