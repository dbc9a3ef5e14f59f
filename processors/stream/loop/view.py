"""The `View` of a processor: the loop's knowledge, fixed for one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processors.stream.loop.assignment import Assignment
from processors.stream.loop.clock import Clock
from processors.stream.loop.state import KeyedState
from processors.stream.loop.table import Table
from processors.stream.loop.transaction import At
from processors.stream.loop.watermark import Watermark
from processors.stream.types import Inbound


@dataclass(frozen=True, slots=True)
class Known:
    """The sources of a view."""

    clock: Clock
    state: KeyedState
    tables: Mapping[str, Table]
    assignment: Assignment
    horizon: Watermark
    partition_count: Callable[[str], int]


@dataclass(slots=True)
class LoopView:
    now: int
    _known: Known
    _batch: Sequence[Inbound] = ()
    _positions: Mapping[At, int] = field(default_factory=dict[At, int])
    _read_until: Mapping[int, int] | None = None

    @property
    def clocks_agree(self) -> bool:
        return self._known.clock.agrees

    def state(self, partition: int) -> Mapping[str, Any]:
        return self._known.state.of(partition)

    def table(self, topic: str) -> Any:
        return self._known.tables[topic].snapshot

    def partitions(self) -> Sequence[int]:
        return self._known.assignment.numbers()

    def partition_count(self, topic: str) -> int:
        return self._known.partition_count(topic)

    def read_until(self, partition: int) -> int:
        if not self.clocks_agree:
            return 0
        if self._read_until is None:
            positions = {**self._known.assignment.positions, **self._positions}
            self._read_until = self._known.horizon.read_until(self.now, positions, self._batch)
        return self._read_until.get(partition, 0)
