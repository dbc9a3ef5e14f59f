"""The way from the requested plugin to another one along their needs, in bounded space however long it is."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

MOST_AT_AN_END: Final = 16
"""The most plugins at each end of a way that are named: in all, as many as a plan may change."""


class Way(NamedTuple):
    """The first and the last plugins of a way, and how many there are in all."""

    first: tuple[str, ...]
    last: tuple[str, ...] = ()
    length: int = 1

    @classmethod
    def begin(cls, id: str) -> Self:
        return cls((id,))

    def to(self, id: str) -> Way:
        """One plugin further."""
        if self.length < MOST_AT_AN_END:
            return Way((*self.first, id), (), self.length + 1)
        return Way(self.first, (*self.last, id)[-MOST_AT_AN_END:], self.length + 1)

    def path(self) -> tuple[str, ...]:
        """The ids, both ends included; in the place of those that are left out, how many they are."""
        left_out = self.length - len(self.first) - len(self.last)
        return (*self.first, *((_left_out(left_out),) if left_out else ()), *self.last)


def shortened(path: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most so many plugins at each end of a path, and how many it leaves out in all."""
    if len(path) <= 2 * most:
        return path
    before = _LEFT_OUT.fullmatch(path[MOST_AT_AN_END]) if len(path) == 2 * MOST_AT_AN_END + 1 else None
    count = len(path) - 2 * most + (int(before[1]) - 1 if before else 0)
    return (*path[:most], _left_out(count), *path[-most:])


_LEFT_OUT: Final = re.compile(r"([0-9]{1,9}) more")


def _left_out(count: int) -> str:
    return f"{count} more"
