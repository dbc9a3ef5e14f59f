"""What keeps a sink from filing, and how it continues once an operator has confirmed it, which cannot be undone.

A sink never decides this by itself: it would skip records, or file others under the offsets of rows that are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from processors.errors import SettingsInvalid
from processors.ledger.filing import At
from processors.ledger.losses import Bounds, Loss, Truncation, given_up, misfits, note, places
from processors.ledger.numbering import life_of, partition_of
from processors.ledger.origins import Change, Identify, Life, begin_life, changes, lives

Obstacle = Change | Loss | Truncation
"""A topic that is not the one the ledger was filed from, or a log that does not fit the ledger."""


class Standing(NamedTuple):
    """What the ledger was filed from, where each chain continues, and up to where losses were given up."""

    known: Mapping[str, Life]
    at: Mapping[At, int]
    given_up: Mapping[At, int]


def standing(connection: Connection) -> Standing:
    return Standing(lives(connection), places(connection), given_up(connection))


def obstacles(of: Standing, identify: Identify, bounds: Bounds) -> list[Obstacle]:
    """All that there are, according to the broker. Raises Unavailable."""
    changed = changes(of.known, identify(of.known)) if of.known else []
    same = {topic: life.number for topic, life in of.known.items()}
    for change in changed:
        del same[change.topic]
    at, noted = (_present(chains, same) for chains in (of.at, of.given_up))
    return [*changed, *misfits(at, bounds(at), noted)]


def _present(chains: Mapping[At, int], lives: Mapping[str, int]) -> dict[At, int]:
    """By topic and partition, what is of the present lives of these topics."""
    return {
        (topic, partition_of(number)): offset
        for (topic, number), offset in chains.items()
        if lives.get(topic) == life_of(number)
    }


def confirmed(
    found: Sequence[Obstacle], topics: Collection[str], cluster: str | None, *, everything: bool
) -> list[Obstacle]:
    """The obstacles that the operator has confirmed: those of `topics`, or `everything`.

    A topic on another cluster needs the id of that `cluster`, so that a shell with the wrong address does not take
    it up. Raises SettingsInvalid if the confirmation is missing or does not match.
    """
    names = {obstacle.topic for obstacle in found}
    if unknown := set(topics) - names:
        raise SettingsInvalid(
            f"`{min(unknown)}` is not among what the ledger cannot file; name a topic that is listed"
        )
    chosen = [obstacle for obstacle in found if obstacle.topic in topics or not topics]
    moved = [obstacle for obstacle in chosen if isinstance(obstacle, Change) and obstacle.is_move]
    here = {change.found.cluster_id for change in chosen if isinstance(change, Change)}
    if cluster is not None and here - {cluster}:
        raise SettingsInvalid(
            f"--cluster says {cluster}, and this is cluster {min(here)}; see GUARD_KAFKA__BOOTSTRAP"
        )
    if cluster is None and moved:
        raise SettingsInvalid(
            f"this is cluster {min(here)}, and not the one that the ledger was filed from; "
            f"if it has moved for good, add --cluster {min(here)}"
        )
    if chosen != moved and not (topics or everything):
        raise SettingsInvalid("nothing was taken up; name topics with --topic, or take up all of them with --yes")
    return chosen


def take_up(connection: Connection, chosen: Sequence[Obstacle]) -> None:
    """Let a sink continue. What was filed before stays unchanged.

    A loss is noted, and its chain continues behind it. Any other topic begins a new life, with chains of its own.
    Raises SettingsInvalid for a topic that was taken up too often to be numbered.
    """
    known = lives(connection)
    numbers = {topic: life.number for topic, life in known.items()}
    note(connection, [obstacle for obstacle in chosen if isinstance(obstacle, Loss)], numbers)
    anew = {
        obstacle.topic: obstacle.found if isinstance(obstacle, Change) else known[obstacle.topic].origin
        for obstacle in chosen
        if not isinstance(obstacle, Loss)
    }
    for topic, origin in sorted(anew.items()):
        begin_life(connection, topic, numbers[topic] + 1, origin)
