"""The cost of a way out: fewest removals, no downgrade, host unchanged, fewest changes, newest versions."""

from __future__ import annotations

from operator import add
from typing import Final, NamedTuple

from processors.events.report import Change
from processors.events.vocabulary import RemedyKind


class Cost(NamedTuple):
    """Compared field by field in this order; less is cheaper.

    `effort` distinguishes kinds of changes that are otherwise equal.
    """

    removals: int = 0
    downgrades: int = 0
    ground: int = 0
    replacements: int = 0
    changes: int = 0
    effort: int = 0
    prereleases: int = 0
    age: int = 0

    def plus(self, other: Cost) -> Cost:
        return Cost(*map(add, self, other))

    def number(self) -> int:
        """One number for the report, in the same order except for pre-releases and age."""
        figure = self.removals * 10_000_000 + self.downgrades * 1_000_000 + self.ground * 200_000
        return min(figure + self.replacements * 100_000 + self.changes * 1_000 + self.effort, _LARGEST)


_LARGEST: Final = 2**31 - 1

_EFFORT: Final = {
    RemedyKind.ENABLE_DEPENDENCY: 5,
    RemedyKind.INSTALL_DEPENDENCY: 10,
    RemedyKind.UPGRADE_DEPENDENCY: 15,
    RemedyKind.DOWNGRADE_DEPENDENCY: 15,
    RemedyKind.INSTALL_VERSION: 20,
    RemedyKind.REMOVE_CONFLICT: 40,
    RemedyKind.UPGRADE_RUNTIME: 50,
    RemedyKind.UPGRADE_HOST: 60,
    RemedyKind.REPLACE_PLUGIN: 70,
}
_GROUND: Final = {RemedyKind.UPGRADE_RUNTIME: 1, RemedyKind.UPGRADE_HOST: 2}


def cost_of(
    change: Change, *, downgrade: bool = False, prerelease: bool = False, age: int = 0, more: int = 0
) -> Cost:
    """The cost of one change.

    `age` counts the preferred candidates that were skipped; `more` is added to its effort.
    """
    return Cost(
        removals=int(change.kind is RemedyKind.REMOVE_CONFLICT),
        downgrades=int(downgrade),
        ground=_GROUND.get(change.kind, 0),
        replacements=int(change.kind is RemedyKind.REPLACE_PLUGIN),
        changes=1,
        effort=_EFFORT[change.kind] + more,
        prereleases=int(prerelease),
        age=age,
    )
