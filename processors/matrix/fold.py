"""Folds the topic of refreshes into the merged matrix: each refresh whole, or not at all.

Per source the fold keeps the newest record of each key, which is what the compacted topic keeps, so that a process
that starts afresh sees what a running one sees. There is one difference it cannot make up for: a bad refresh
overwrites the good one in the topic, where a running process still has the good one. A source of which the topic
holds no whole refresh is therefore shown as one that expired long ago, which blocks, and not as one that is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from processors.errors import DocumentRefused, EventUnreadable, MatrixRefused
from processors.matrix.document import MatrixDocument, Row
from processors.matrix.merged import Matrix
from processors.matrix.parts import TOPIC, Part, Refresh, assemble, part_at, read_part
from processors.matrix.writing import instant
from processors.observability.collector import collector_paused
from processors.stream.types import Inbound, Reject

UNUSABLE: Final = "unusable"
"""The revision of a source of which no whole refresh is to be had."""

MOST_AHEAD: Final = 300_000
"""Milliseconds by which the clock of a publisher may be ahead. A refresh from the future would outlive its welcome,
and shut out whatever corrects it."""

_log: Any = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Source:
    """What the topic holds of a source. A slot is None where its record cannot be read.

    INVARIANT: the slots of the refresh that is in effect hold no rows; the matrix has them.
    """

    slots: dict[int, Part | None] = field(default_factory=dict[int, Part | None])
    active: Refresh | None = None

    def whole(self, refresh: Refresh) -> dict[int, Part] | None:
        """All parts of a refresh, if all are there."""
        parts = {n: part for n, part in self.slots.items() if part is not None and part.refresh == refresh}
        return parts if len(parts) == refresh.parts else None

    def activate(self, refresh: Refresh) -> None:
        self.active = refresh
        for number, part in self.slots.items():
            if part is not None and part.refresh == refresh:
                self.slots[number] = part._replace(rules=(), releases=())

    def is_arriving(self) -> bool:
        """Its first refresh is on its way: only the beginning of one is there."""
        refreshes = {part.refresh if part else None for part in self.slots.values()}
        first = refreshes.pop()
        count = len(self.slots)
        return first is not None and not refreshes and count < first.parts and max(self.slots) == count


class MatrixFold:
    """A `Fold`. `decode` turns a value into a complete record of MatrixRefreshed, and may raise EventUnreadable
    or RegistryUnavailable."""

    def __init__(self, decode: Callable[[bytes], Row], *, topic: str = TOPIC) -> None:
        self.topic = topic
        self._decode = decode
        self._sources: dict[str, _Source] = {}
        self._matrix = Matrix.EMPTY

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        """Take records in the order of the topic. A refresh that is refused leaves the active one in effect."""
        with collector_paused():
            rejects = [reject for record in records if (reject := self._judged(record))]
        self._show_unusable()
        return rejects

    def snapshot(self) -> Matrix:
        return self._matrix

    def parts(self, source: str) -> frozenset[int]:
        """The parts that the topic holds of a source, whichever refresh they are of."""
        held = self._sources.get(source)
        return frozenset(held.slots) if held else frozenset()

    def _judged(self, record: Inbound) -> Reject | None:
        try:
            self._take(record)
        except (EventUnreadable, MatrixRefused, DocumentRefused) as error:
            return Reject(record, error.reason, str(error), getattr(error, "stage", "assemble"))
        return None

    def _take(self, record: Inbound) -> None:
        at = part_at(record.key)
        if at is None:
            raise MatrixRefused("the key is not a source and a part such as `governance/0001`")
        name, number = at
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
        self._place(source, part)

    def _place(self, source: _Source, part: Part) -> None:
        refresh, active = part.refresh, source.active
        if refresh == active:
            source.slots[part.number] = part._replace(rules=(), releases=())
            return
        source.slots[part.number] = part
        parts = source.whole(refresh)
        if parts is None:
            return
        if active is not None and refresh.issued_at < active.issued_at:
            _log.warning("older refresh ignored", source=refresh.source, revision=refresh.revision)
            return
        self._activate(source, refresh, assemble(parts))

    def _activate(self, source: _Source, refresh: Refresh, document: MatrixDocument) -> None:
        self._matrix = self._matrix.add(document, refresh.issued_at, refresh.expires_at)
        source.activate(refresh)
        _log.info("matrix refreshed", source=refresh.source, revision=refresh.revision, rows=document.rows)

    def _clear(self, name: str, number: int) -> None:
        """A tombstone. The source is withdrawn with its last part."""
        source = self._sources.get(name)
        if source is None:
            return
        source.slots.pop(number, None)
        if not source.slots:
            del self._sources[name]
            self._matrix = self._matrix.without(name)
            _log.info("matrix source withdrawn", source=name)

    def _show_unusable(self) -> None:
        for name, source in self._sources.items():
            shown = self._matrix.document(name) is not None
            if source.active is None and not shown and not source.is_arriving():
                empty = MatrixDocument(source=name, revision=UNUSABLE, digest="")
                self._matrix = self._matrix.add(empty, 0, 0)
                _log.error("no whole refresh of a source is to be had", source=name)
