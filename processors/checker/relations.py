"""The ids that a plugin makes statements about: the plugins whose answers it can affect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from processors.checker.case import known_rows
from processors.events.subject import InstalledPlugin
from processors.matrix.merged import Matrix
from processors.versions import Dialect

MOST_NAMED: Final = 200
"""The most ids that are followed from one plugin, directly and through the catalogue."""

MOST_ROWS: Final = 2000
"""The most rows of the catalogue that are searched for them."""


class Relations(NamedTuple):
    """The ids that a plugin cannot do without, those that it makes any statement about, and those that it
    offers."""

    needs: frozenset[str]
    mentions: frozenset[str]
    offers: frozenset[str]


def relations_of(
    plugin: InstalledPlugin, matrix: Matrix, default_dialect: Dialect, before: Sequence[str] = ()
) -> Relations:
    """From the plugin's own statements and from the catalogue: too many ids do no harm, a missing one would.

    `before` are installed versions of the plugin: they help decide how its versions are read.
    """
    each = (plugin, *known_rows(matrix, plugin, default_dialect, before))
    needs = frozenset(need.id for one in each for need in one.requires if not need.optional)
    mentions = frozenset(other.id for one in each for other in (*one.requires, *one.conflicts, *one.consumes))
    return Relations(needs, mentions, frozenset(offer.id for one in each for offer in one.provides))


def named_through(ids: Iterable[str], matrix: Matrix) -> frozenset[str] | None:
    """These ids, and, transitively, every id that any of their releases names; None if there are too many.

    Rules follow the catalogue, even through plugins that are not installed, so ids at the end of such a path matter
    too. All releases count, so that none is missed.
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
