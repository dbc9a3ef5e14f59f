"""Logs that do not fit the ledger: records that expired before they were filed, and rows beyond the end of a log.

Kafka removes records when their retention is over, whether the ledger has filed them or not: after a long outage,
or a restore from an old backup, a log may begin behind the place where the ledger continues. And a log may end
before that place, where a broker without its newest records became the leader, or a volume was restored: other
records will get the offsets of rows that are filed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from processors.ledger.filing import At
from processors.ledger.numbering import is_late, life_of, of_life, partition_of

CONTINUES: Final = (
    "greatest(h.next_offset, (SELECT max(l.next_offset) FROM ledger.losses l "
    "WHERE (l.topic, l.partition) = (h.topic, h.partition)))"
)
"""Where a chain `h` of `ledger.chain_head` continues: at its next offset, or behind what was given up."""

Bounds = Callable[[Collection[At]], Mapping[At, tuple[int, int]]]
"""The first offset of each log that still exists, and the one after the last committed record. Partitions that do
not exist are left out. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Offsets of a partition that expired unfiled: from `first` to before `next_offset`, where its log begins."""

    topic: str
    partition: int
    first: int
    next_offset: int

    @property
    def message(self) -> str:
        return (
            f"the records {self.first} to {self.next_offset - 1} of {self.topic}/{self.partition} expired before "
            f"they were filed; `compat-guard ledger take-up --topic {self.topic}` gives them up, and the ledger "
            "continues behind them"
        )


@dataclass(frozen=True, slots=True)
class Truncation:
    """A log that ends at `end`, before `filed`, where the ledger continues."""

    topic: str
    partition: int
    filed: int
    end: int

    @property
    def message(self) -> str:
        return (
            f"{self.topic}/{self.partition} ends at offset {self.end}, and was filed up to {self.filed}: its "
            "newest records were lost, and others will get their offsets; find out how, then run "
            f"`compat-guard ledger take-up --topic {self.topic}`"
        )


class GivenUp(NamedTuple):
    """Offsets of a partition that somebody gave up. `life` numbers the topics of one name, beginning with 0."""

    topic: str
    partition: int
    life: int
    first: int
    last: int
    at: datetime
    by: str


def places(connection: Connection, lives: Mapping[str, int]) -> dict[At, int]:
    """The offset at which the ledger continues, for each partition that has a chain in its topic's present life.

    `lives` are the numbers of those lives.
    """
    found = connection.execute(text(f"SELECT topic, partition, {CONTINUES} FROM ledger.chain_head h"))
    return {
        (topic, partition_of(number)): next_offset
        for topic, number, next_offset in found
        if not is_late(number) and topic in lives and life_of(number) == lives[topic]
    }


def misfits(at: Mapping[At, int], bounds: Mapping[At, tuple[int, int]]) -> list[Loss | Truncation]:
    """Partitions at whose places nothing can be filed, by what is left of their logs."""
    found: list[Loss | Truncation] = []
    for (topic, partition), place in sorted(at.items()):
        low, high = bounds.get((topic, partition), (place, place))
        if low > place:
            found.append(Loss(topic, partition, place, low))
        elif high < place:
            found.append(Truncation(topic, partition, place, high))
    return found


def note(connection: Connection, losses: Sequence[Loss], lives: Mapping[str, int]) -> None:
    """Give the records up. A sink that takes such a partition over starts behind them."""
    for loss in losses:
        connection.execute(
            text(
                "INSERT INTO ledger.losses (topic, partition, first, next_offset) "
                "VALUES (:topic, :number, :first, :next_offset)"
            ),
            {
                "topic": loss.topic,
                "number": of_life(loss.partition, lives.get(loss.topic, 0)),
                "first": loss.first,
                "next_offset": loss.next_offset,
            },
        )


def noted(connection: Connection) -> list[GivenUp]:
    """What was given up, the newest first."""
    found = connection.execute(
        text(
            "SELECT topic, partition, first, next_offset, noted_at, noted_by FROM ledger.losses "
            "ORDER BY noted_at DESC, topic, partition, first"
        )
    )
    return [
        GivenUp(topic, partition_of(number), life_of(number), first, next_offset - 1, at, by)
        for topic, number, first, next_offset, at, by in found
    ]
