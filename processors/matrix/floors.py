"""The highest serial that each source has reached, kept where compaction cannot lose it.

The topic of refreshes keeps the last record of each part, whatever it contains: an older refresh that is written
again displaces the newer one. The floors survive that. A process that starts learns from them which serial a source
has reached, so that it does not accept an older refresh, and can tell a missing source from a withdrawn one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from processors.errors import Refused
from processors.events.topics import MATRIX_FLOORS
from processors.stream.types import Inbound, Reject
from processors.trust.statements import Untrusted

EVENT: Final = "MatrixFloor"


class Floor(NamedTuple):
    """The last statement of a source. `digest` is empty if that was its withdrawal."""

    serial: int
    digest: str
    withdrawn: bool

    def admits(self, other: Floor) -> bool:
        """Whether a statement may follow this one, or repeats it."""
        return other.serial > self.serial or other == self


Floors = Mapping[str, Floor]
"""By source."""


def floor_to_record(source: str, floor: Floor) -> dict[str, Any]:
    return {"source": source, **floor._asdict()}


class FloorFold:
    """A `Fold`. `check` raises Refused for a record that the monitor did not write; floors never decrease."""

    topic = MATRIX_FLOORS

    def __init__(
        self, decode: Callable[[bytes | None], Mapping[str, Any]], check: Callable[[Inbound], object]
    ) -> None:
        self._decode, self._check = decode, check
        self._held: dict[str, Floor] = {}
        self._floors: Floors = MappingProxyType({})

    def snapshot(self) -> Floors:
        return self._floors

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects = [reject for record in records if (reject := self._take(record)) is not None]
        self._floors = MappingProxyType(dict(self._held))
        return rejects

    def _take(self, record: Inbound) -> Reject | None:
        try:
            self._check(record)
            stated = self._decode(record.value)
        except Refused as error:
            return Reject(record, error.reason, str(error), getattr(error, "stage", "table"))
        source, held = stated["source"], self._held.get(stated["source"])
        floor = Floor(stated["serial"], stated["digest"], stated["withdrawn"])
        if held is not None and not held.admits(floor):
            return Reject(record, Untrusted.reason, f"serial {floor.serial} comes after {held.serial}", "table")
        self._held[source] = floor
        return None
