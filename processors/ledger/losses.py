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
from typing import NamedTuple

from sqlalchemy import Connection, text

from processors.ledger.filing import At
from processors.ledger.numbering import is_late, life_of, of_life, partition_of

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
            f"{offsets(self.first, self.next_offset)} of {self.topic}/{self.partition} expired before they were "
            f"filed; `compat-guard ledger take-up --topic {self.topic}` gives them up, and the ledger continues "
            "behind them"
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


def offsets(first: int, end: int) -> str:
    """Offsets up to before `end`, as people read them."""
    return f"offset {first}" if end == first + 1 else f"offsets {first} to {end - 1}"


def places(connection: Connection) -> dict[At, int]:
    """The next offset of each chain that records are filed in on time."""
    found = connection.execute(text("SELECT topic, partition, next_offset FROM ledger.chain_head")).all()
    return {(topic, number): next_offset for topic, number, next_offset in found if not is_late(number)}


def given_up(connection: Connection) -> dict[At, int]:
    """The offset behind what was given up, for each chain that has lost anything."""
    found = connection.execute(
        text("SELECT topic, partition, max(next_offset) FROM ledger.losses GROUP BY topic, partition")
    )
    return {(topic, number): behind for topic, number, behind in found}


def misfits(
    at: Mapping[At, int], bounds: Mapping[At, tuple[int, int]], noted: Mapping[At, int]
) -> list[Loss | Truncation]:
    """Partitions at whose places nothing can be filed, by what is left of their logs.

    `noted` is how far losses were given up already.
    """
    found: list[Loss | Truncation] = []
    for (topic, partition), place in sorted(at.items()):
        low, high = bounds.get((topic, partition), (place, place))
        if low > (first := max(place, noted.get((topic, partition), 0))):
            found.append(Loss(topic, partition, first, low))
        elif high < place:
            found.append(Truncation(topic, partition, place, high))
    return found


def note(connection: Connection, losses: Sequence[Loss], lives: Mapping[str, int]) -> None:
    """Give the records up. A sink that takes such a partition over starts where its log begins.

    Who gives up the same ones meanwhile changes nothing.
    """
    for loss in losses:
        connection.execute(
            text(
                "INSERT INTO ledger.losses (topic, partition, first, next_offset) "
                "VALUES (:topic, :number, :first, :next_offset) ON CONFLICT DO NOTHING"
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
