"""The age of each matrix source, compared with its allowed age and with its usual interval. Pure.

The allowed age of a source is the time between its issue and its expiry, as its publisher stated them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from processors.matrix.fold import MOST_AHEAD
from processors.matrix.merged import Matrix, Source

WHOLE: Final = "*"
"""The name of the matrix as a whole, among the names of sources."""

REMEMBERED: Final = 11
"""Refreshes: ten intervals."""

BURST: Final = 600_000
"""Refreshes within this many milliseconds count as one."""

OVERDUE: Final = 2
"""A silence of this many usual intervals is a gap."""


class Level(StrEnum):
    FRESH = "FRESH"
    AGEING = "AGEING"
    EXPIRED = "EXPIRED"
    AHEAD = "AHEAD"
    MISSING = "MISSING"
    WITHDRAWN = "WITHDRAWN"


class Known(NamedTuple):
    """The stored state of a source. `level` is the last reported one, None before the first report.

    `arrivals` are the broker's times of its last refreshes, oldest first; `refresh` names the last of them.
    """

    name: str
    level: Level | None = None
    since: int = 0
    arrivals: tuple[int, ...] = ()
    refresh: str = ""


class Change(NamedTuple):
    """A source whose level differs from the one that was reported last."""

    name: str
    before: Level | None
    after: Level
    source: Source | None


def level(source: Source, warn_at: int, now: int) -> Level:
    """`warn_at` is percent of the allowed age. A source expires exactly at its expiry.

    One with an issue time in the future is AHEAD and not fresh: its age is unknown.
    """
    if source.expires_at <= now:
        return Level.EXPIRED
    if source.issued_at > now + MOST_AHEAD:
        return Level.AHEAD
    return Level.AGEING if warns_at(source, warn_at) <= now else Level.FRESH


def warns_at(source: Source, warn_at: int) -> int:
    """The instant at which a source has used up `warn_at` percent of its allowed age."""
    return source.issued_at + (source.expires_at - source.issued_at) * warn_at // 100


def levels(matrix: Matrix, warn_at: int, now: int) -> dict[str, Level]:
    """The level of each source, and of the whole, which is MISSING as long as nobody has published."""
    standing = {source.name: level(source, warn_at, now) for source in matrix.sources}
    missing = dict.fromkeys(matrix.missing, Level.MISSING) if standing else {}
    return {WHOLE: Level.FRESH if standing else Level.MISSING, **standing, **missing}


def changes(matrix: Matrix, known: Mapping[str, Known], warn_at: int, now: int) -> Iterator[Change]:
    """Unreported changes, by name. A good first level is not news, but is stored."""
    standing = levels(matrix, warn_at, now)
    sources = {source.name: source for source in matrix.sources}
    for name in sorted(standing):
        before = known[name].level if name in known else None
        if before is not standing[name]:
            yield Change(name, before, standing[name], sources.get(name))
    for name in sorted(set(known) - set(standing)):
        if (told := known[name].level) is not None:
            yield Change(name, told, Level.WITHDRAWN, None)


def is_news(change: Change) -> bool:
    """Whether somebody should be notified, rather than only storing it."""
    return change.before is not None or change.after is not Level.FRESH


def refreshed(known: Known, refresh: str, at: int) -> Known:
    """With one more refresh. Another part of the last one does not count."""
    if refresh == known.refresh:
        return known
    return known._replace(arrivals=(*known.arrivals, at)[-REMEMBERED:], refresh=refresh)


def usual_interval(arrivals: Sequence[int]) -> int | None:
    """Median milliseconds between refreshes; None before the second one."""
    return int(median(later - earlier for earlier, later in pairwise(arrivals))) if len(arrivals) > 1 else None


def is_gap(arrivals: Sequence[int], now: int) -> bool:
    """Whether a source has been silent for more than twice its usual interval, which needs three refreshes.

    A refresh within ten minutes of the previous one is a correction, and says nothing about the next one.
    """
    habit = [
        at for at, before in zip(arrivals, (None, *arrivals), strict=False) if before is None or at - before > BURST
    ]
    usual = usual_interval(habit)
    return len(habit) > OVERDUE and usual is not None and now - arrivals[-1] > OVERDUE * usual
