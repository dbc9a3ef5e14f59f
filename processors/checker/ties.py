"""What a plugin says of others: whose answers it can make a difference to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from processors.checker.case import known_rows
from processors.events.subject import InstalledPlugin
from processors.matrix.merged import Matrix
from processors.versions import Dialect

MOST_NAMED: Final = 200
"""Ids that a plugin may name, itself and through the catalogue, before nobody follows them any further."""

MOST_ROWS: Final = 2000
"""Rows of the catalogue that are looked through for them."""


class Ties(NamedTuple):
    """The ids that a plugin cannot do without, those that it says anything about, and those that it offers."""

    needs: frozenset[str]
    mentions: frozenset[str]
    offers: frozenset[str]


def ties_of(plugin: InstalledPlugin, matrix: Matrix, tongue: Dialect, before: Sequence[str] = ()) -> Ties:
    """As it tells itself or the catalogue knows: both, since what is said too much leaves nothing out.

    `before` are versions of it that are there already, which have a say in how its versions are read.
    """
    each = (plugin, *known_rows(matrix, plugin, tongue, before))
    needs = frozenset(need.id for one in each for need in one.requires if not need.optional)
    mentions = frozenset(other.id for one in each for other in (*one.requires, *one.conflicts, *one.consumes))
    return Ties(needs, mentions, frozenset(offer.id for one in each for offer in one.provides))


def named_through(ids: Iterable[str], matrix: Matrix) -> frozenset[str] | None:
    """These ids, and every id that any release of one of them names, and so on; None where they are too many.

    Rules walk through the catalogue, also through what is not installed, so whoever is named at the end of such a
    walk makes a difference too. All releases count, whichever of them is meant: that leaves nobody out.
    """
    found: set[str] = set()
    waiting, rows = set(ids), 0
    while waiting and len(waiting) + len(found) <= MOST_NAMED:
        found.add(id := waiting.pop())
        releases = matrix.releases(id)
        rows += len(releases)
        if rows > MOST_ROWS:
            return None
        for row in releases:
            waiting.update(one.id for one in (*row.requires, *row.conflicts, *row.consumes, *row.provides))
        waiting -= found
    return None if waiting else frozenset(found)


def states_at_most(plugin: InstalledPlugin, most: int) -> bool:
    stated = (plugin.requires, plugin.conflicts, plugin.consumes, plugin.provides)
    return sum(map(len, stated)) <= most
