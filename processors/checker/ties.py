"""What a plugin says of others: whose answers it can make a difference to."""

from __future__ import annotations

from typing import NamedTuple

from processors.checker.case import known_rows
from processors.events.subject import InstalledPlugin
from processors.matrix.merged import Matrix
from processors.versions import Dialect


class Ties(NamedTuple):
    """The ids that a plugin needs, those that it says anything about, and those that it offers."""

    needs: frozenset[str]
    mentions: frozenset[str]
    offers: frozenset[str]


def ties_of(plugin: InstalledPlugin, matrix: Matrix, tongue: Dialect) -> Ties:
    """As it tells itself or the catalogue knows: both, since what is said too much leaves nothing out."""
    each = (plugin, *known_rows(matrix, plugin, tongue))
    needs = frozenset(need.id for one in each for need in one.requires)
    others = frozenset(other.id for one in each for other in (*one.conflicts, *one.consumes))
    return Ties(needs, needs | others, frozenset(offer.id for one in each for offer in one.provides))
