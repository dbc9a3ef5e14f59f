"""The watermark: up to which time the inputs have been read. Timers up to that time may fire.

A record that stops a timer may be unread, after an outage for hours. A partition has been read up to a moment if
nothing is after our position and the broker says so after that moment; otherwise only up to the last handled
record, since the broker's append times do not decrease within a partition.

An open transaction hides its records, and those after it, until it is decided. So the end that counts is that of
the log, not that of the readable part. A position is the offset after the last record; the consumer's
end-of-partition moves it past what no consumer ever gets (transaction markers, aborted records).
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
    """Facts about logs, which stay true after an abort or a rebalance."""

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._admin: AdminClient | None = None
        self._gaps: dict[At, tuple[int, int]] = {}
        self._handled: dict[At, int] = {}

    def nothing_between(self, at: At, position: int, end: int) -> None:
        """There was no record between `position` and `end`."""
        self._gaps[at] = position, end

    def handled(self, batch: Sequence[Inbound]) -> None:
        """A batch is committed."""
        self._handled |= {(record.topic, record.partition): record.timestamp for record in batch}

    def read_until(self, now: int, positions: Mapping[At, int], batch: Sequence[Inbound] = ()) -> Mapping[int, int]:
        """The time up to which every input of a partition number is read, as milliseconds since the epoch.

        `batch` is what has been read and not handled yet; the positions are after it. `now` must be before the
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
            self._admin = None  # it may still use brokers known before a restart
            raise
