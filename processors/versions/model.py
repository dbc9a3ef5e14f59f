"""One model for every dialect: a range is a set of intervals over keys that Python's tuples already order.

A version sits *on* its key. A bound sits just *below* or just *above* a key, never on one, so a bound and a version
never compare equal, and open, closed and unbounded ends need no special cases.
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
"""Orders the versions of one dialect, oldest first. Begins with a number; the dialect defines the rest."""

Release: TypeAlias = tuple[int, ...]
"""The leading numbers of a version: 1.2.3-rc.1 is a pre-release of (1, 2, 3)."""

BELOW: Final = -1
ON: Final = 0
ABOVE: Final = 1


class Dialect(StrEnum):
    """A language of versions and ranges.

    The first ten are those of hosts and plugins. `java` and those below it read what a runtime or a database
    reports, in ranges that are written as in `generic`; `reported` is for every runtime or database without a
    scheme of its own.
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
    """A version as written, and its position in the order of its dialect.

    Two spellings of one version are equal: order, equality and hash use only the key, which leaves out what the
    dialect ignores, such as build metadata. Versions of different dialects are never equal, and comparing them
    raises `TypeError`.

    Immutable to the type checker only: creating frozen dataclasses would take a third of the time of a check.
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
        """The build metadata of `2.4.0+b7`, which the order ignores; empty if the dialect has none.

        Two versions of equal precedence are the same release only if their builds are equal too.
        """
        return "" if self.dialect in _BUILDS_ARE_ORDERED else self.text.partition("+")[2]

    def is_same_release(self, other: Version) -> bool:
        """Whether both name the same release: equal in order and in build.

        `2.4.0+b6` and `2.4.0+b7` are two releases.
        """
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
"""Dialects in which the text after a plus is part of the order, or cannot be written."""


class Bound(NamedTuple):
    """A cut between versions: on the given side of `key`. `version` is for messages."""

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
    """The versions between two cuts, without those that the pre-release rule of the dialect excludes.

    `prereleases` names the releases whose pre-releases may pass; None admits all of them. `releases` is False in
    the rare interval that admits only pre-releases.
    """

    lower: Bound
    upper: Bound
    prereleases: frozenset[Release] | None = None
    releases: bool = True

    def spans(self, version: Version) -> bool:
        """By order only, ignoring the pre-release rule."""
        return self.lower < (version.key, ON) < self.upper

    def welcomes(self, version: Version) -> bool:
        """By the pre-release rule only, wherever the version sits."""
        if not version.is_prerelease:
            return self.releases
        return self.prereleases is None or version.release in self.prereleases

    def intersect(self, other: Interval) -> Interval:
        """May be empty: its cuts are then in the wrong order, or equal."""
        if self.prereleases is None or other.prereleases is None:
            prereleases = other.prereleases if self.prereleases is None else self.prereleases
        else:
            prereleases = self.prereleases & other.prereleases
        releases = self.releases and other.releases
        return Interval(max(self.lower, other.lower), min(self.upper, other.upper), prereleases, releases)

    def is_empty(self) -> bool:
        """No key lies between the cuts. An interval that is not empty may still contain no published version."""
        return self.lower[:2] >= self.upper[:2]


EVERYTHING: Final = Interval(LOWEST, HIGHEST)


class Range(NamedTuple):
    """What a text in some dialect demands of a version.

    `intervals` are sorted and not empty; if there are none, nothing satisfies the range. Every question about a
    version raises `TypeError` if that version has another dialect.
    """

    text: str
    dialect: Dialect
    intervals: tuple[Interval, ...]

    def admits(self, version: Version) -> bool:
        """Whether the version satisfies the range, exactly by the rules of the dialect."""
        if version.dialect is not self.dialect:
            raise _foreign(self, version)
        here = (version.key, ON)
        for interval in self.intervals:
            if interval.lower < here < interval.upper and interval.welcomes(version):
                return True
        return False

    def lies_above(self, version: Version) -> bool:
        """Every admitted version is newer: `version` is too old. False if nothing is admitted at all."""
        self._spans(version)
        return bool(self.intervals) and self.intervals[0].lower > (version.key, ON)

    def lies_below(self, version: Version) -> bool:
        """Every admitted version is older: `version` is too new. False if nothing is admitted at all."""
        self._spans(version)
        return bool(self.intervals) and all(i.upper < (version.key, ON) for i in self.intervals)

    def excludes_only_as_prerelease(self, version: Version) -> bool:
        """By order the version would fit; only the pre-release rule of the dialect excludes it."""
        return version.is_prerelease and self._spans(version) and not self.admits(version)

    def nearest(self, versions: Iterable[Version], to: Version) -> Version | None:
        """The admitted one that is fewest major, minor and patch steps from `to`; of a tie, the older one."""
        admitted = [version for version in versions if self.admits(version)]
        older = max((version for version in admitted if version <= to), default=None)
        newer = min((version for version in admitted if version > to), default=None)
        if older is None or newer is None:
            return older or newer
        return older if _steps(older, to) <= _steps(newer, to) else newer

    def distance(self, version: Version) -> Distance:
        """How far outside the version lies; NONE exactly if it is admitted.

        MAJOR if nothing at all is admitted: no smaller step can help.
        """
        if self.admits(version):
            return Distance.NONE
        return min((_distance(i, version) for i in self.intervals), key=_SIZES.index, default=Distance.MAJOR)

    def lowest(self) -> Version | None:
        """The smallest version that the range names as an inclusive lower end, if there is one."""
        named = (i.lower.version for i in self.intervals if i.lower.side == BELOW)
        return min((version for version in named if version is not None), default=None)

    def intersect(self, other: Range) -> Range:
        """Admits exactly what both admit. Its text joins the two for messages and may not be parseable."""
        if other.dialect is not self.dialect:
            raise TypeError(f"cannot intersect a range of {self.dialect} with one of {other.dialect}")
        text = " and ".join(filter(None, (self.text, other.text)))
        return Range(text, self.dialect, intersection(self.intervals, other.intervals))

    def is_empty(self) -> bool:
        """No version of any kind can satisfy the range."""
        return not self.intervals

    def explain(self) -> str:
        """The demand in words, to follow "it needs"."""
        return explain(self)

    def _spans(self, version: Version) -> bool:
        if version.dialect is not self.dialect:
            raise _foreign(self, version)
        return any(interval.spans(version) for interval in self.intervals)


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Sorted, without empty ones; adjacent intervals with the same rule become one."""
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

    If the range excludes the end itself, a step as large as the end's last part is needed: 2.0.0 is a major version
    too new for <2.0.0, because the versions that it admits are called 1.x.
    """
    if end.version is None:
        return Distance.MAJOR
    pairs = list(zip_longest(version.release, end.version.release, fillvalue=0))
    differing = [part for part, (ours, theirs) in enumerate(pairs) if ours != theirs]
    if leaves_end and not end.version.is_prerelease:
        differing.append(max((part for part, (_, theirs) in enumerate(pairs) if theirs), default=0))
    return _PARTS[min(*differing, 2)] if differing else Distance.PRERELEASE
