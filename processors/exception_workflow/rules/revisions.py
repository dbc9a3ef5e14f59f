"""The state of the matrix as one word: enough to notice that live exceptions must be re-checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processors.errors import EventUnreadable
from processors.events.topics import MATRIX_REFRESHES
from processors.matrix.parts import Refresh, part_at, refresh_of
from processors.stream.types import Inbound, Reject
from processors.trust.signatures import verify
from processors.trust.sources import NOBODY, Trust
from processors.trust.statements import Untrusted


class Refreshed(NamedTuple):
    """The state of the matrix.

    `mark` changes with what is in effect, and is empty as long as nothing is. `at` is the broker's time of the
    latest change, in milliseconds since the epoch, or later.
    """

    mark: str
    at: int


@dataclass(slots=True)
class _Source:
    """The last refresh that a source signed, which of its parts have arrived, and the last one that was
    complete."""

    refresh: Refresh
    parts: set[int] = field(default_factory=set[int])
    whole: Refresh | None = None
    at: int = 0


class Revisions:
    """A `Fold` over matrix refreshes that keeps no rows. Incomplete and unsigned refreshes do not count.

    `split` gives the envelope of a refresh, and may raise EventUnreadable or RegistryUnavailable. Refreshes that no
    trusted key signed, or that are older than the current one, are ignored here: anybody who could change the mark
    could cause re-checks of all live exceptions, again and again. The checker quarantines them.
    """

    topic = MATRIX_REFRESHES

    def __init__(
        self, split: Callable[[bytes | None], tuple[dict[str, Any], bytes]], trust: Trust = NOBODY
    ) -> None:
        self._split, self._trust = split, trust
        self._sources: dict[str, _Source] = {}
        self._standing = Refreshed("", 0)

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects: list[Reject] = []
        for record in records:
            try:
                self._take(record)
            except EventUnreadable as error:
                rejects.append(Reject(record, error.reason, str(error), error.stage))
            except Untrusted:
                continue
        if records:
            self._standing = self._read()
        return rejects

    def snapshot(self) -> Refreshed:
        return self._standing

    def _take(self, record: Inbound) -> None:
        at = part_at(record.key)
        if at is None or record.value is None:  # a tombstone removes a part, and withdraws nothing
            return
        refresh = refresh_of(self._split(record.value)[0])
        if refresh.source != at[0]:
            return
        source = self._sources.get(refresh.source)
        if source is None or source.refresh != refresh:
            source = self._begun(source, refresh, record.timestamp)
        source.parts.add(at[1])
        if source.whole != refresh and len(source.parts) >= refresh.parts:
            source.whole, source.at = refresh, record.timestamp

    def _begun(self, before: _Source | None, refresh: Refresh, at: int) -> _Source:
        """The first part of a refresh. Raises Untrusted."""
        verify(refresh.statement, refresh.signature, self._trust.of(refresh.source).keys, at)
        if before is None:
            return self._sources.setdefault(refresh.source, _Source(refresh))
        if not before.refresh.floor.admits(refresh.floor):
            raise Untrusted(f"serial {refresh.serial} comes after {before.refresh.serial}")
        before.refresh, before.parts = refresh, set()
        return before

    def _read(self) -> Refreshed:
        whole = [source.whole for source in self._sources.values() if source.whole is not None]
        lines = sorted(f"{one.source} {one.revision} {one.digest}" for one in whole if not one.withdrawn)
        mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else ""
        return Refreshed(mark, max((source.at for source in self._sources.values()), default=0))
