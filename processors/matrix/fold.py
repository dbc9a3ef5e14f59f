"""Folds the topic of refreshes into the merged matrix: only whole refreshes take effect, and only signed ones.

Per source the fold keeps the newest record of each key, as the compacted topic does, so that a new process sees
what a running one sees. There is one exception: a bad refresh overwrites the good one in the topic, while a running
process still has the good one. A source without a whole refresh in the topic, or with one below its floor only, is
therefore shown as one that expired long ago, which blocks, and not as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.errors import MatrixRefused, Refused
from processors.matrix.document import MatrixDocument, Row
from processors.matrix.floors import Floor, Floors
from processors.matrix.merged import Matrix
from processors.matrix.parts import TOPIC, Part, Refresh, assemble, part_at, read_part
from processors.matrix.writing import instant
from processors.observability.collector import collector_paused
from processors.stream.types import Inbound, LogEntry, Reject
from processors.trust.signatures import verify
from processors.trust.sources import Trust, TrustedSource
from processors.trust.statements import Untrusted

UNUSABLE: Final = "unusable"
"""The revision of a source without any whole refresh."""

MOST_AHEAD: Final = 300_000
"""Milliseconds by which a publisher's clock may be ahead.

A refresh from the future would stay valid for too long, and would shut out any correction.
"""


@dataclass(slots=True)
class _Source:
    """What the topic holds of a source. A slot is None if its record cannot be read or is not trusted.

    `active` is the refresh in effect, `judged` the one whose signature was verified last, `floor` the highest
    serial that this process has seen.

    INVARIANT: the slots of the refresh in effect hold no rows; the matrix has them.
    """

    slots: dict[int, Part | None] = field(default_factory=dict[int, Part | None])
    active: Refresh | None = None
    judged: Refresh | None = None
    floor: Floor | None = None

    def whole(self, refresh: Refresh) -> dict[int, Part] | None:
        """All parts of a refresh, if all are there."""
        parts = {n: part for n, part in self.slots.items() if part is not None and part.refresh == refresh}
        return parts if len(parts) == refresh.parts else None

    def activate(self, refresh: Refresh) -> None:
        self.active, self.floor = refresh, refresh.floor
        for number, part in self.slots.items():
            if part is not None and part.refresh == refresh:
                self.slots[number] = part._replace(rules=(), releases=())

    def is_arriving(self) -> bool:
        """Whether its first refresh is still incomplete: nothing of an earlier one is there."""
        refreshes = {part.refresh if part else None for part in self.slots.values()}
        first = refreshes.pop() if refreshes else None
        count = len(self.slots)
        return first is not None and not refreshes and count < first.parts and max(self.slots) == count


class MatrixFold:
    """A `Fold` and a `LogSource`.

    `decode` turns a value into a complete record of MatrixRefreshed, and may raise EventUnreadable or
    RegistryUnavailable. `floors` gives what is known from the topic of floors, which must be loaded first.
    """

    def __init__(
        self,
        decode: Callable[[bytes], Row],
        trust: Trust,
        floors: Callable[[], Floors] = dict[str, Floor],
        *,
        topic: str = TOPIC,
    ) -> None:
        self.topic = topic
        self._decode, self._trust, self._floors = decode, trust, floors
        self._sources: dict[str, _Source] = {}
        self._log_entries: list[LogEntry] = []
        self._matrix = Matrix.EMPTY.under(trust.required, trust.scopes)

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        """Take records in topic order. A refused refresh leaves the active one in effect."""
        with collector_paused():
            rejects = [reject for record in records if (reject := self._judged(record))]
        self._show_unusable()
        return rejects

    def snapshot(self) -> Matrix:
        return self._matrix

    def log_entries(self) -> Sequence[LogEntry]:
        told, self._log_entries = self._log_entries, []
        return told

    def parts(self, source: str) -> frozenset[int]:
        """The parts of a source in the topic, of whichever refresh."""
        held = self._sources.get(source)
        return frozenset(held.slots) if held else frozenset()

    def floor(self, source: str) -> Floor | None:
        """The highest serial of a source that this fold or the topic of floors knows; None if it never stated
        anything."""
        held = self._sources.get(source)
        known = [floor for floor in (held and held.floor, self._floors().get(source)) if floor is not None]
        return max(known, default=None)

    def _tell(self, event: str, **facts: str | int) -> None:
        self._log_entries.append(LogEntry(event, facts))

    def _judged(self, record: Inbound) -> Reject | None:
        try:
            self._take(record)
        except Refused as error:
            return Reject(record, error.reason, str(error), getattr(error, "stage", "assemble"))
        return None

    def _take(self, record: Inbound) -> None:
        at = part_at(record.key)
        if at is None:
            raise MatrixRefused("the key is not a source and a part such as `governance/0001`")
        name, number = at
        trusted = self._trust.of(name)
        if record.value is None:
            self._clear(name, number)
            return
        source = self._sources.setdefault(name, _Source())
        source.slots[number] = None
        part = read_part(self._decode(record.value))
        if (part.refresh.source, part.number) != at:
            raise MatrixRefused(f"part {part.number} of `{part.refresh.source}` stands under another key")
        if part.refresh.issued_at > record.timestamp + MOST_AHEAD:
            raise MatrixRefused(
                f"it states that it was issued at {instant(part.refresh.issued_at)}, and the broker took it at "
                f"{instant(record.timestamp)} already; publish it with its true time of issue"
            )
        if self._may_take_effect(source, part.refresh, trusted, record.timestamp):
            self._place(source, part, trusted)

    def _may_take_effect(self, source: _Source, refresh: Refresh, trusted: TrustedSource, at: int) -> bool:
        """Whether the refresh is signed and newer than the source's last statement. Judged once for all its parts.

        False for an old part that the topic still holds. Raises Untrusted.
        """
        if refresh in (source.active, source.judged):
            return True
        verify(refresh.statement, refresh.signature, trusted.keys, at)
        if source.floor is not None and not source.floor.admits(refresh.floor):
            raise Untrusted(
                f"serial {refresh.serial} of `{refresh.source}` comes after serial {source.floor.serial}; a new "
                "statement needs a higher one"
            )
        beside = self._floors().get(refresh.source)
        if beside is not None and not beside.admits(refresh.floor):
            self._tell("refresh of the past passed over", source=refresh.source, serial=refresh.serial)
            return False
        source.judged = refresh
        return True

    def _place(self, source: _Source, part: Part, trusted: TrustedSource) -> None:
        refresh = part.refresh
        if refresh == source.active:
            source.slots[part.number] = part._replace(rules=(), releases=())
            return
        source.slots[part.number] = part
        if refresh.withdrawn:
            self._withdraw(source, refresh)
        elif (parts := source.whole(refresh)) is not None:
            self._activate(source, refresh, assemble(parts), trusted)

    def _activate(
        self, source: _Source, refresh: Refresh, document: MatrixDocument, trusted: TrustedSource
    ) -> None:
        expires_at = min(refresh.expires_at, refresh.issued_at + trusted.longest_validity)
        self._matrix = self._matrix.add(document, refresh.issued_at, expires_at, refresh.floor)
        source.activate(refresh)
        self._tell("matrix refreshed", source=refresh.source, revision=refresh.revision, rows=document.rows)

    def _withdraw(self, source: _Source, refresh: Refresh) -> None:
        source.active, source.floor = None, refresh.floor
        self._matrix = self._matrix.withdrawing(refresh.source, refresh.floor)
        self._tell("matrix source withdrawn", source=refresh.source)

    def _clear(self, name: str, number: int) -> None:
        """A tombstone removes a part from the topic.

        It changes nothing in effect: only a signed withdrawal does.
        """
        source = self._sources.get(name)
        if source is not None:
            source.slots.pop(number, None)

    def _show_unusable(self) -> None:
        expected = self._sources.keys() | {name for name in self._floors() if self._trust.knows(name)}
        for name in sorted(expected):
            if self._is_expected(name) and self._matrix.document(name) is None:
                empty = MatrixDocument(source=name, revision=UNUSABLE, digest="")
                self._matrix = self._matrix.add(empty, 0, 0)
                self._log_entries.append(
                    LogEntry("no whole refresh of a source is to be had", {"source": name}, is_error=True)
                )

    def _is_expected(self, name: str) -> bool:
        """Whether a source should be in effect: not if its last statement was its withdrawal."""
        last = self.floor(name)
        if last is not None:
            return not last.withdrawn
        source = self._sources[name]
        return bool(source.slots) and not source.is_arriving()
