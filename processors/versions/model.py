"""One model for every dialect: a range is a set of intervals over keys that Python's tuples already order.

A version sits *on* its key. A bound sits just *below* or just *above* a key, never on one, so no comparison
between a bound and a version can tie, and open, closed and unbounded ends need no case of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import total_ordering
from itertools import zip_longest
from typing import Any, Final, NamedTuple, TypeAlias

from processors.versions.explain import explain

Key: TypeAlias = tuple[Any, ...]
"""Orders the versions of one dialect, oldest first. Begins with a number; the rest is the dialect's affair."""

Release: TypeAlias = tuple[int, ...]
"""The leading numbers of a version: 1.2.3-rc.1 is a pre-release of (1, 2, 3)."""

BELOW: Final = -1
ON: Final = 0
ABOVE: Final = 1


class Dialect(StrEnum):
    """A language of versions and ranges.

    The first ten are what hosts and plugins speak. `java` and those below it read what a runtime or a database says
    of itself, in ranges that are written as in `generic`; `reported` is for every one without a scheme of its own.
    """

    NPM = "npm"
    NPM_PRERELEASE = "npm-prerelease"
    MASTERMINDS = "masterminds"
    VSCODE = "vscode"
    PEP440 = "pep440"
    MAVEN = "maven"
    JETBRAINS = "jetbrains"
    MINIMUM = "minimum"
    WORDPRESS = "wordpress"
    GENERIC = "generic"
    JAVA = "java"
    GO = "go"
    NODE = "node"
    PYTHON = "python"
    PHP = "php"
    RUBY = "ruby"
    DOTNET = "dotnet"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    REPORTED = "reported"


class Distance(StrEnum):
    """The most significant part of a version that must change before the range admits it."""

    NONE = "none"
    PRERELEASE = "prerelease"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@total_ordering
class Version:
    """A version as written, and where it sits in the order of its dialect.

    Two spellings of one version are equal: order, equality and hash look at the key alone, which leaves out
    what the dialect ignores, such as build metadata. Versions of different dialects are never equal, and
    comparing them raises `TypeError`.

    Immutable to the type checker: a frozen dataclass would spend a third of a check on its own making.
    """

    __slots__ = ("dialect", "is_prerelease", "key", "release", "text")

    def __init__(self, text: str, dialect: Dialect, key: Key, release: Release, is_prerelease: bool) -> None:
        self.text: Final = text
        self.dialect: Final = dialect
        self.key: Final = key
        self.release: Final = release
        self.is_prerelease: Final = is_prerelease

    @property
    def build(self) -> str:
        """The build metadata of `2.4.0+b7`, which no order looks at; empty where the dialect knows none.

        Two versions of equal precedence are one release only if their builds are the same too.
        """
        return "" if self.dialect in _BUILDS_ARE_ORDERED else self.text.partition("+")[2]

    def is_same_release(self, other: Version) -> bool:
        """Whether both name one release: equal in order and in build. `2.4.0+b6` and `2.4.0+b7` are two."""
        return self == other and self.build == other.build

    def __repr__(self) -> str:
        return f"Version({self.text!r}, {self.dialect.value})"

    def __str__(self) -> str:
        return self.text

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self.key == other.key and self.dialect is other.dialect

    def __lt__(self, other: Version) -> bool:
        if self.dialect is not other.dialect:
            return NotImplemented
        return self.key < other.key


_BUILDS_ARE_ORDERED: Final = frozenset({Dialect.PEP440, Dialect.MAVEN, Dialect.JETBRAINS})
"""Dialects in which what stands behind a plus is part of the order, or cannot be written."""


class Bound(NamedTuple):
    """A cut between versions: on the given side of `key`. `version` is what a message may name."""

    key: Key
    side: int
    version: Version | None


LOWEST: Final = Bound((), BELOW, None)
HIGHEST: Final = Bound((math.inf,), ABOVE, None)


def below(version: Version) -> Bound:
    """The cut that leaves `version` above: an inclusive lower end, or an exclusive upper one."""
    return Bound(version.key, BELOW, version)


def above(version: Version) -> Bound:
    """The cut that leaves `version` below: an exclusive lower end, or an inclusive upper one."""
    return Bound(version.key, ABOVE, version)


class Interval(NamedTuple):
    """The versions between two cuts, less those that its dialect keeps out for what they are.

    `prereleases` names the releases whose pre-releases may pass; None lets all of them pass. `releases` is
    False in the rare stretch where pre-releases alone may pass.
    """

    lower: Bound
    upper: Bound
    prereleases: frozenset[Release] | None = None
    releases: bool = True

    def spans(self, version: Version) -> bool:
        """In order alone, whatever the pre-release rule says."""
        return self.lower < (version.key, ON) < self.upper

    def welcomes(self, version: Version) -> bool:
        """By what the version is alone, wherever it sits."""
        if not version.is_prerelease:
            return self.releases
        return self.prereleases is None or version.release in self.prereleases

    def intersect(self, other: Interval) -> Interval:
        """May be empty: its cuts are then in the wrong order, or the same."""
        if self.prereleases is None or other.prereleases is None:
            prereleases = other.prereleases if self.prereleases is None else self.prereleases
        else:
            prereleases = self.prereleases & other.prereleases
        releases = self.releases and other.releases
        return Interval(max(self.lower, other.lower), min(self.upper, other.upper), prereleases, releases)

    def is_empty(self) -> bool:
        """No key lies between the cuts. An interval that is not empty may still hold no published version."""
        return self.lower[:2] >= self.upper[:2]


EVERYTHING: Final = Interval(LOWEST, HIGHEST)


class Range(NamedTuple):
    """What a text in some dialect demands of a version.

    `intervals` are sorted, none of them is empty, and none at all means that nothing satisfies the range.
    Every question about a version raises `TypeError` when that version is of another dialect.
    """

    text: str
    dialect: Dialect
    intervals: tuple[Interval, ...]

    def admits(self, version: Version) -> bool:
        """Whether the version satisfies the range, by the rules of the dialect to the letter."""
        if version.dialect is not self.dialect:
            raise _foreign(self, version)
        here = (version.key, ON)
        for interval in self.intervals:
            if interval.lower < here < interval.upper and interval.welcomes(version):
                return True
        return False

    def lies_above(self, version: Version) -> bool:
        """Every admitted version is newer: `version` is too old. False when nothing is admitted at all."""
        self._spans(version)
        return bool(self.intervals) and self.intervals[0].lower > (version.key, ON)

    def lies_below(self, version: Version) -> bool:
        """Every admitted version is older: `version` is too new. False when nothing is admitted at all."""
        self._spans(version)
        return bool(self.intervals) and all(i.upper < (version.key, ON) for i in self.intervals)

    def excludes_only_as_prerelease(self, version: Version) -> bool:
        """In order the version would fit; only the pre-release rule of the dialect keeps it out."""
        return version.is_prerelease and self._spans(version) and not self.admits(version)

    def nearest(self, versions: Iterable[Version], to: Version) -> Version | None:
        """The admitted one that is fewest major, minor and patch steps from `to`; the older one of a tie."""
        admitted = [version for version in versions if self.admits(version)]
        older = max((version for version in admitted if version <= to), default=None)
        newer = min((version for version in admitted if version > to), default=None)
        if older is None or newer is None:
            return older or newer
        return older if _steps(older, to) <= _steps(newer, to) else newer

    def distance(self, version: Version) -> Distance:
        """How far outside the version lies; NONE exactly when it is admitted.

        MAJOR when nothing at all is admitted: no smaller step can help.
        """
        if self.admits(version):
            return Distance.NONE
        return min((_distance(i, version) for i in self.intervals), key=_SIZES.index, default=Distance.MAJOR)

    def lowest(self) -> Version | None:
        """The smallest version that the range names as an inclusive lower end, if it names one."""
        named = (i.lower.version for i in self.intervals if i.lower.side == BELOW)
        return min((version for version in named if version is not None), default=None)

    def intersect(self, other: Range) -> Range:
        """Admits exactly what both admit. Its text joins the two for messages and need not parse."""
        if other.dialect is not self.dialect:
            raise TypeError(f"cannot intersect a range of {self.dialect} with one of {other.dialect}")
        text = " and ".join(filter(None, (self.text, other.text)))
        return Range(text, self.dialect, intersection(self.intervals, other.intervals))

    def is_empty(self) -> bool:
        """No version of any kind can satisfy the range."""
        return not self.intervals

    def explain(self) -> str:
        """The demand in words, to stand after "it needs"."""
        return explain(self)

    def _spans(self, version: Version) -> bool:
        if version.dialect is not self.dialect:
            raise _foreign(self, version)
        return any(interval.spans(version) for interval in self.intervals)


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Sorted, without the empty ones; neighbours that touch under one rule become one interval."""
    found = [interval for interval in intervals if not interval.is_empty()]
    if len(found) < 2:
        return tuple(found)
    merged: list[Interval] = []
    for interval in sorted(found, key=_ends):
        last = merged[-1] if merged else None
        if last and last[2:] == interval[2:] and last.upper[:2] >= interval.lower[:2]:
            merged[-1] = last._replace(upper=max(last.upper, interval.upper))
        else:
            merged.append(interval)
    return tuple(merged)


def intersection(some: Sequence[Interval], others: Sequence[Interval]) -> tuple[Interval, ...]:
    """What lies in both unions."""
    return union(one.intersect(other) for one in some for other in others)


def _ends(interval: Interval) -> tuple[Any, ...]:
    return interval.lower[:2], interval.upper[:2]


def _foreign(demand: Range, version: Version) -> TypeError:
    return TypeError(f"a range of {demand.dialect} cannot judge a version of {version.dialect}")


def _steps(version: Version, to: Version) -> list[int]:
    return [abs(a - b) for a, b in zip_longest(version.release, to.release, fillvalue=0)]


_SIZES: Final = list(Distance)
_PARTS: Final = (Distance.MAJOR, Distance.MINOR, Distance.PATCH)


def _distance(interval: Interval, version: Version) -> Distance:
    """From a version that `interval` does not admit to the nearer end of it."""
    if interval.spans(version):
        return Distance.PRERELEASE
    if interval.lower > (version.key, ON):
        return _parts_between(version, interval.lower, leaves_end=interval.lower.side == ABOVE)
    return _parts_between(version, interval.upper, leaves_end=interval.upper.side == BELOW)


def _parts_between(version: Version, end: Bound, *, leaves_end: bool) -> Distance:
    """The first part in which version and end differ.

    When the range leaves out the end itself, a step as large as the end's own last part is needed:
    2.0.0 is a major version too new for <2.0.0, because what that admits is called 1.x.
    """
    if end.version is None:
        return Distance.MAJOR
    pairs = list(zip_longest(version.release, end.version.release, fillvalue=0))
    differing = [part for part, (ours, theirs) in enumerate(pairs) if ours != theirs]
    if leaves_end and not end.version.is_prerelease:
        differing.append(max((part for part, (_, theirs) in enumerate(pairs) if theirs), default=0))
    return _PARTS[min(*differing, 2)] if differing else Distance.PRERELEASE
