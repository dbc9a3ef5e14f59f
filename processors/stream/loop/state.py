"""Keyed state: a dictionary for each input partition, and the changelog from which it is restored.

The state changes only after a commit, so an aborted batch leaves no trace in it. The changelog has as many
partitions as the inputs and is written with an explicit partition, so that state n belongs to input partition n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from processors.stream.loop.restore import Restored, bytes_of
from processors.stream.loop.transaction import At
from processors.stream.seals import Seals
from processors.stream.types import Outbound, Outcome, StateSpec, Write

NOTHING: Mapping[str, Any] = MappingProxyType({})

MOST_REPAIRED: Final = 500
"""The most unsound records of a changelog that one transaction overwrites: it should stay short."""


class KeyedState:
    """The state of the partitions that this process owns."""

    def __init__(self) -> None:
        self._partitions: dict[int, Restored] = {}

    def of(self, partition: int) -> Mapping[str, Any]:
        """A read-only view of a partition's state; empty for one that is not owned."""
        held = self._partitions.get(partition)
        return NOTHING if held is None else MappingProxyType(held.values)

    def take(self, partition: int, restored: Restored) -> None:
        self._partitions[partition] = restored

    def drop(self, partition: int) -> None:
        self._partitions.pop(partition, None)

    def apply(self, writes: Iterable[Write]) -> None:
        """Apply committed writes. Those of one transaction had one number in each partition."""
        touched: set[int] = set()
        for partition, key, value in writes:
            held = self._partitions[partition]
            if value is None:
                held.values.pop(key, None)
            else:
                held.values[key] = value
            held.unsound.pop(key, None)
            touched.add(partition)
        for partition in touched:
            self._partitions[partition].number += 1

    def next_number(self, partition: int) -> int:
        """The number with which the next transaction's records are sealed."""
        held = self._partitions.get(partition)
        return 1 if held is None else held.number + 1

    def repair(self, outcome: Outcome) -> None:
        """Add repairs of the changelogs to an outcome, a portion at a time: the valid state is written over
        refused records, which become dead letters."""
        written = {(write.partition, write.key) for write in outcome.writes}
        for partition, key in islice(self._unsound(), MOST_REPAIRED):
            held = self._partitions[partition]
            if (reject := held.unsound[key]) is not None:
                outcome.rejects.append(reject)
            if (partition, key) not in written:
                outcome.writes.append(Write(partition, key, held.values.get(key)))

    def _unsound(self) -> Iterator[tuple[int, str]]:
        return ((partition, key) for partition, held in self._partitions.items() for key in held.unsound)

    def __len__(self) -> int:
        return sum(len(held.values) for held in self._partitions.values())


def changelog_records(spec: StateSpec, writes: Iterable[Write], seals: Seals, state: KeyedState) -> list[Outbound]:
    """One sealed record for each key written: its last value, or a tombstone."""
    last = {(write.partition, write.key): write.value for write in writes}
    return [_record(spec, *at, value, seals, state) for at, value in last.items()]


def _record(spec: StateSpec, partition: int, key: str, value: Any, seals: Seals, state: KeyedState) -> Outbound:
    written = None if value is None else spec.encode(value)
    number, name = state.next_number(partition), bytes_of(key)
    seal = seals.seal(spec.changelog, name, written, partition=partition, number=number)
    return Outbound(spec.changelog, name, written, (seal,), partition=partition)


def complete(owned: Iterable[At], partition_counts: Mapping[str, int]) -> set[int]:
    """The partition numbers that are owned in every input topic that has them.

    Under KIP-848 partition 3 of one topic may be assigned before partition 3 of another. Until both are owned,
    another process may still write the state that they share.
    """
    held = set(owned)
    numbers = {partition for _, partition in held}
    return {
        number
        for number in numbers
        if all((topic, number) in held for topic, count in partition_counts.items() if number < count)
    }
