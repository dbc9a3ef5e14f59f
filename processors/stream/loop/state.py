"""Keyed state: a dictionary per input partition, and the changelog that brings it back.

The state moves only after a commit, so an aborted batch leaves no trace in it. The changelog has the partition
count of the inputs and is written with an explicit partition, so that state n belongs to input partition n.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from processors.errors import BrokerUnavailable, Fatal
from processors.observability.collector import collector_paused
from processors.stream.loop.transaction import At, is_end_of_partition, persist, raise_if_serious
from processors.stream.types import Outbound, StateSpec, Write

NOTHING: Mapping[str, Any] = MappingProxyType({})


class KeyedState:
    """The state of the partitions that this process owns."""

    def __init__(self) -> None:
        self._partitions: dict[int, dict[str, Any]] = {}

    def of(self, partition: int) -> Mapping[str, Any]:
        """A read-only window on a partition's state; empty for one that is not owned."""
        held = self._partitions.get(partition)
        return NOTHING if held is None else MappingProxyType(held)

    def take(self, partition: int, restored: dict[str, Any]) -> None:
        self._partitions[partition] = restored

    def drop(self, partition: int) -> None:
        self._partitions.pop(partition, None)

    def apply(self, writes: Iterable[Write]) -> None:
        """Let committed writes take effect."""
        for partition, key, value in writes:
            held = self._partitions[partition]
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))


def changelog_records(spec: StateSpec, writes: Iterable[Write]) -> list[Outbound]:
    """One record for each key written: its last value, or a tombstone."""
    last = {(write.partition, write.key): write.value for write in writes}
    return [
        Outbound(spec.changelog, key.encode(), None if value is None else spec.encode(value), partition=partition)
        for (partition, key), value in last.items()
    ]


def complete(owned: Iterable[At], partition_counts: Mapping[str, int]) -> set[int]:
    """The partition numbers that are owned in every input topic that has them.

    Under KIP-848 partition 3 of one topic may arrive before partition 3 of another. Until both are here, another
    process may still write the state that they share.
    """
    held = set(owned)
    numbers = {partition for _, partition in held}
    return {
        number
        for number in numbers
        if all((topic, number) in held for topic, count in partition_counts.items() if number < count)
    }


def restore(
    reader: Consumer, spec: StateSpec, partitions: Sequence[int], deadline: float, alive: Callable[[], None]
) -> dict[int, dict[str, Any]]:
    """Read the changelog of some partitions to its end.

    Call it after the committed offsets were asked for: that waits until the last owner's transaction is decided.

    Raises:
        BrokerUnavailable: nothing came for `deadline` seconds.
        Fatal: a changelog record cannot be read, or the changelog is not there.
    """
    with collector_paused():
        return _restored(reader, spec, partitions, deadline, alive)


def _restored(
    reader: Consumer, spec: StateSpec, partitions: Sequence[int], deadline: float, alive: Callable[[], None]
) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {partition: {} for partition in partitions}
    ends = {partition: _end(reader, spec.changelog, partition, deadline, alive) for partition in partitions}
    reader.assign([TopicPartition(spec.changelog, partition, OFFSET_BEGINNING) for partition in partitions])
    heard = time.monotonic()
    while ends:
        alive()
        messages = reader.consume(10_000, 0.2)
        heard = time.monotonic() if messages else heard
        if time.monotonic() - heard > deadline:
            raise BrokerUnavailable(f"changelog `{spec.changelog}` was silent for {deadline:g} s")
        for message in messages:
            partition = cast(int, message.partition())
            if (error := message.error()) is not None:
                raise_if_serious(error)
                if is_end_of_partition(error) and cast(int, message.offset()) >= ends.get(partition, 0):
                    ends.pop(partition, None)
            else:
                _replay(spec, state[partition], message)
    reader.unassign()
    return state


def _end(reader: Consumer, topic: str, partition: int, deadline: float, alive: Callable[[], None]) -> int:
    at = TopicPartition(topic, partition)
    _, end = persist(lambda: reader.get_watermark_offsets(at, 10.0, cached=False), deadline, alive)
    return end


def _replay(spec: StateSpec, state: dict[str, Any], message: Message) -> None:
    key, value = message.key(), message.value()
    if key is None:
        raise Fatal(f"changelog `{spec.changelog}` holds a record without a key at offset {message.offset()}")
    if value is None:
        state.pop(key.decode(), None)
    else:
        state[key.decode()] = spec.decode(value)
