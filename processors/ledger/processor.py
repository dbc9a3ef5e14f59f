"""Connects the ledger to its topics: every record of every topic becomes one row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from processors.errors import EventUnreadable, Fatal, Refused, Unavailable, shorten
from processors.ledger.records import (
    Row,
    Tail,
    at_a_possible_time,
    dead_letter_row,
    row_of,
    tail_of,
    tombstone_row,
    unreadable_row,
)
from processors.ledger.transaction import Entries
from processors.masking.masker import Masker
from processors.stream.types import INTERNAL, Inbound, Outcome, Reject, View, Write
from processors.stream.wire.codec import Codec, Decoder

TAILS: Mapping[str, str] = {
    "InstallRequested": "subject",
    "CompatibilityChecked": "report",
    "InstallBlocked": "report",
    "ExceptionUseRequested": "report",
}
"""Events with a last field that is the same for many of them, and its name."""

TAILS_KEPT = 4096
"""The most bytes of masked tails that are cached: some 50 MB of ordinary reports."""

ReadRow = Callable[[Inbound], Row]


class Ledger:
    """Files every record. Skips nothing and refuses nothing: an unreadable record has a row that says so.

    `events` names the event of each topic, None for a topic of foreign bytes. Records of `compacted` topics may be
    deletions.
    """

    name = "ledger"
    tables = ()
    state = None

    def __init__(
        self, codec: Codec, events: Mapping[str, str | None], masker: Masker, compacted: Collection[str] = ()
    ) -> None:
        self.inputs = tuple(events)
        self._masker = masker
        self._compacted = frozenset(compacted)
        self._read = {
            topic: dead_letter_row if event is None else self._reader(codec.decoder(topic, event), event)
            for topic, event in events.items()
        }

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        entries = Entries(people=self._masker.met)
        for record in batch:
            entries.rows.append(at_a_possible_time(self._row(record, entries), view.now))
        return entries

    def tick(self, now: int, view: View) -> Outcome:  # noqa: ARG002 - the time is enough
        """About once a minute a commit without rows, so that the last rows before a quiet time are anchored too."""
        return Entries(writes=[Write(0, "quiet", now)] if now % 60_000 < 1_000 else [])

    def row(self, record: Inbound) -> Row:
        """The row of a single record. Raises what the codec raises if its servers are unavailable."""
        return self._row(record, Entries())

    def _row(self, record: Inbound, entries: Entries) -> Row:
        if record.value is None and record.topic in self._compacted:
            return tombstone_row(record)
        try:
            return self._read[record.topic](record)
        except (Unavailable, Fatal):
            raise
        except EventUnreadable as error:
            return unreadable_row(record, f"{error.reason}_{error.stage}", str(error))
        except Refused as error:
            return unreadable_row(record, error.reason, str(error))
        except Exception as error:  # noqa: BLE001 - the edge: the record has a row, and the breaker counts it
            why = shorten(type(error).__name__)
            entries.rejects.append(Reject(record, INTERNAL, why, "handle"))
            return unreadable_row(record, INTERNAL, why)

    def _reader(self, decode: Decoder, event: str) -> ReadRow:
        if event not in TAILS:
            return lambda record: row_of(record, decode(record.value), event, self._masker)
        name = TAILS[event]

        @lru_cache(maxsize=TAILS_KEPT)
        def known(raw: bytes) -> Tail:
            value: Mapping[str, Any] = decode.tail(raw)
            return tail_of(name, raw, value, self._masker)

        def read(record: Inbound) -> Row:
            envelope, raw = decode.split(record.value)
            return row_of(record, envelope, event, self._masker, known(raw))

        return read
