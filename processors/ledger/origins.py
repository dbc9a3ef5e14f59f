"""The cluster and topic from which a chain is filed, and what to do if they are not the same as before.

Kafka gives a topic an id when it is created. A topic that was deleted and created again has the same name, another
id, and offsets that restart: a sink that continued at its old offset would silently skip records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from processors.errors import SettingsInvalid
from processors.ledger.numbering import LIVES

UNKNOWN = ""
"""The topic id of a broker that gives none."""


class Origin(NamedTuple):
    """A topic on a cluster, by the ids that Kafka gave them."""

    cluster_id: str
    topic_id: str

    def fits(self, other: Origin) -> bool:
        """Whether it is the same topic, as far as the brokers say."""
        told = UNKNOWN not in (self.topic_id, other.topic_id)
        return self.cluster_id == other.cluster_id and (self.topic_id == other.topic_id or not told)


Identify = Callable[[Collection[str]], Mapping[str, Origin]]
"""The present origins of topics. Missing topics are left out. Raises BrokerUnavailable."""


@dataclass(frozen=True, slots=True)
class Life:
    """The ledger's record of a topic: its number among the topics of that name, and its origin."""

    number: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Change:
    """A topic that is not the one from which the ledger was filed."""

    topic: str
    noted: Origin
    found: Origin

    @property
    def message(self) -> str:
        if self.is_move:
            return (
                f"`{self.topic}` was filed from cluster {self.noted.cluster_id}, and this is cluster "
                f"{self.found.cluster_id}; correct GUARD_KAFKA__BOOTSTRAP or GUARD_POSTGRES__URL, or, if it has "
                f"moved for good, run `compat-guard ledger take-up --cluster {self.found.cluster_id}`"
            )
        return (
            f"`{self.topic}` was deleted and created again: it was {self.noted.topic_id}, and is "
            f"{self.found.topic_id}; find out who did it, then run "
            f"`compat-guard ledger take-up --topic {self.topic}`"
        )

    @property
    def is_move(self) -> bool:
        """Whether it is on another cluster."""
        return self.noted.cluster_id != self.found.cluster_id


def lives(connection: Connection) -> dict[str, Life]:
    """The present record of every known topic."""
    found = connection.execute(
        text(
            "SELECT DISTINCT ON (topic) topic, life, cluster_id, topic_id FROM ledger.origins "
            "ORDER BY topic, life DESC"
        )
    )
    return {topic: Life(number, Origin(cluster, topic_id)) for topic, number, cluster, topic_id in found}


def life_of(connection: Connection, topic: str) -> int:
    """The number of a topic's present life; 0 if none was recorded."""
    query = "SELECT coalesce(max(life), 0) FROM ledger.origins WHERE topic = :topic"
    return connection.execute(text(query), {"topic": topic}).scalar_one()


def changes(noted: Mapping[str, Life], found: Mapping[str, Origin]) -> list[Change]:
    """Topics whose origin has changed. A topic without a record has not changed."""
    return [
        Change(topic, noted[topic].origin, origin)
        for topic, origin in sorted(found.items())
        if topic in noted and not noted[topic].origin.fits(origin)
    ]


def note(connection: Connection, found: Mapping[str, Origin]) -> Sequence[Change]:
    """Record topics that are seen for the first time, and return those that have changed."""
    known = lives(connection)
    for topic, origin in sorted(found.items()):
        if topic not in known:
            _add(connection, topic, 0, origin)
    return changes(known, found)


def begin_life(connection: Connection, topic: str, number: int, origin: Origin) -> None:
    """Record the next life of a topic. What was filed before stays unchanged.

    Raises SettingsInvalid for a topic that was taken up too often to be numbered.
    """
    if number >= LIVES:
        raise SettingsInvalid(f"`{topic}` was taken up {LIVES} times; begin a ledger in a database of its own")
    _add(connection, topic, number, origin)


def _add(connection: Connection, topic: str, life: int, origin: Origin) -> None:
    connection.execute(
        text(
            "INSERT INTO ledger.origins (topic, life, cluster_id, topic_id) "
            "VALUES (:topic, :life, :cluster, :id) ON CONFLICT DO NOTHING"
        ),
        {"topic": topic, "life": life, "cluster": origin.cluster_id, "id": origin.topic_id},
    )
