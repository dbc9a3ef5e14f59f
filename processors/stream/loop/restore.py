"""Restores keyed state from its changelog, and accepts only what our own processes have sealed there.

A record without a valid seal, or one that was sealed before its predecessor, changes nothing. If it is the last one
under its key it becomes a dead letter, and the loop writes the valid state over it: compaction would otherwise keep
the forgery and drop what it displaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from processors.observability.collector import collector_paused
from processors.stream.io.to_end import to_end
from processors.stream.loop.transaction import At
from processors.stream.seals import SealRefused, Seals
from processors.stream.types import Inbound, Reject, StateSpec

MOST_AT_ONCE = 10_000
"""Records are small, and a restart waits for the last one."""


@dataclass(slots=True)
class Restored:
    """The state of one partition. `number` is the highest with which its records were sealed.

    `unsound` are the keys that must be written again: with the refused record that is the last one under them, or
    None if the last one is ours but sealed with an old key.
    """

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    number: int = 0
    unsound: dict[str, Reject | None] = field(default_factory=dict[str, Reject | None])
    numbers: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, record: Inbound, spec: StateSpec, seals: Seals) -> None:
        """Apply the next record of the partition, unless it is another processor's.

        Raises what `spec.decode` raises for a record of ours.
        """
        key = text_of(record.key or b"")
        if not key.startswith(spec.prefix):
            return
        try:
            seal = seals.check_placed(record, self.numbers.get(key, 0))
        except SealRefused as error:
            self.unsound[key] = Reject(record, error.reason, str(error), "restore")
            return
        if record.value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = spec.decode(record.value)
        self.numbers[key] = seal.number
        self.number = max(self.number, seal.number)
        self.unsound.pop(key, None)
        if seal.key_id != seals.current and record.value is not None:
            self.unsound[key] = None


def text_of(key: bytes) -> str:
    """A key as the state has it. Bytes that are not UTF-8 are preserved: `bytes_of` returns them."""
    return key.decode("utf-8", "surrogateescape")


def bytes_of(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def restore(
    reader: Consumer,
    spec: StateSpec,
    ends: Mapping[At, int],
    seals: Seals,
    deadline: float,
    alive: Callable[[], None],
) -> dict[int, Restored]:
    """Read some partitions of the changelog up to their ends, open transactions included.

    Ask for the committed offsets first, and then for the ends of the logs (`clients.ends`). A commit marks the
    group's offsets and each partition of the changelog one after the other, on brokers of their own: whoever read
    only what is committed by now could miss state whose offsets count already. So this waits until all transactions
    that were open are decided.

    Raises:
        BrokerUnavailable: nothing came for `deadline` seconds.
    """
    with collector_paused():
        return _restored(reader, spec, ends, seals, deadline, alive)


def _restored(
    reader: Consumer,
    spec: StateSpec,
    ends: Mapping[At, int],
    seals: Seals,
    deadline: float,
    alive: Callable[[], None],
) -> dict[int, Restored]:
    found = {partition: Restored() for _, partition in ends}
    unread, silent = dict(ends), f"changelog `{spec.changelog}` was silent"
    reader.assign([TopicPartition(*at, OFFSET_BEGINNING) for at in unread])
    for records in to_end(reader, unread, deadline, silent, alive, MOST_AT_ONCE, persistent=True):
        for record in records:
            found[record.partition].take(record, spec, seals)
    reader.unassign()
    return found
