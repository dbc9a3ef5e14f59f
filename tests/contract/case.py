"""What a room tells the contract suite about its processor.

A room joins by a file `tests/contract/providers/<room>.py` with a function `cases() -> list[Case]`. The suite finds
it by itself, and fails while a processor of the table in `bootstrap/processors.py` has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from processors.stream.types import Inbound, Processor
from processors.stream.wire.partitioner import partition_of

NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z."""


@dataclass(frozen=True)
class Case:
    """One processor and records that are typical of it.

    `processor` makes a fresh one. `records` should reach every kind of answer, some of them about the same key, and
    none of them unreadable. `unreadable` are values that each of its inputs refuses. `state` is by partition and
    key, as the changelog would have restored it. `tables` are snapshots by topic.
    """

    name: str
    processor: Callable[[], Processor]
    records: Sequence[Inbound]
    topics: frozenset[str]
    """Every topic the processor may write to, as the table of the design has it."""
    acts_in_time: bool = False
    """Whether it is time that brings about what it does, and its records only say which replica does it."""
    files_unreadable: bool = False
    """Whether a row says that a record cannot be read, where other processors write a dead letter."""
    unreadable: Sequence[bytes | None] = (None, b"", b"\0\0\0", b"\1not an event", b"\0\x7f\xff\xff\xff\2a")
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    state: Mapping[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])
    now: int = NOON
    state_values: Sequence[Any] = ()
    """Values that its state may hold, for the way to the changelog and back."""

    def view(self, state: Mapping[int, Mapping[str, Any]] | None = None) -> FixedView:
        return FixedView(self.now, self.state if state is None else state, self.tables)


@dataclass(frozen=True)
class FixedView:
    """A `View` on given facts."""

    now: int
    held: Mapping[int, Mapping[str, Any]]
    tables: Mapping[str, Any]
    count: int = 1

    def state(self, partition: int) -> Mapping[str, Any]:
        return MappingProxyType(dict(self.held.get(partition, {})))

    def table(self, topic: str) -> Any:
        return self.tables[topic]

    def partitions(self) -> Sequence[int]:
        return tuple(range(self.count))

    def partition_count(self, topic: str) -> int:
        return self.count

    @property
    def clocks_agree(self) -> bool:
        return True

    def read_until(self, partition: int) -> int:
        return self.now


def record(topic: str, offset: int, key: str, value: bytes | None, *, headers: Sequence[Any] = ()) -> Inbound:
    """A record as the loop would hand it in. Everything lies on partition 0, the only one of a `FixedView`."""
    assert partition_of(key.encode(), 1) == 0
    return Inbound(topic, 0, offset, NOON, key.encode(), value, tuple(headers))
