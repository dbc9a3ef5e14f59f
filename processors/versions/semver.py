"""What the dialects of Semantic Versioning share: the key, partial versions, and the bounds they stand for.

Order after https://semver.org, section 11: numbers, then pre-releases below their release, build ignored.
"""

from __future__ import annotations

import re
from typing import Final

from processors.versions.model import BELOW, Bound, Dialect, Key, Release, Version

MAX_NUMBER: Final = 2**53 - 1
"""The largest number that every implementation of the family represents exactly."""

_SAFE_LENGTH: Final = 15
"""The most characters of a text that is too short for a number above `MAX_NUMBER`."""

SPACES: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""White space as ECMAScript defines it; Python's definition differs in both directions."""

NUMBER: Final = r"(?:0|[1-9][0-9]*)"
SHORT: Final = r"(?:0|[1-9][0-9]{0,14})"
"""A number that cannot exceed `MAX_NUMBER`."""

IDENTIFIER: Final = rf"(?:[0-9]*[A-Za-z-][0-9A-Za-z-]*|{NUMBER})"
PRERELEASE: Final = rf"{IDENTIFIER}(?:\.{IDENTIFIER})*"
BUILD: Final = r"\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"

_FULL: Final = re.compile(rf"v?({NUMBER})\.({NUMBER})\.({NUMBER})(?:-({PRERELEASE}))?(?:{BUILD})?")
_SMALL: Final = {str(number): number for number in range(1000)}
"""The most common numbers. A look-up converts a number and checks its spelling at once."""

WILD: Final = frozenset({None, "", "x", "X", "*"})
"""A part that is missing, or one of the wildcard letters."""


class TooLarge(ValueError):
    """A number above `MAX_NUMBER`. The caller knows the text and raises the error that names it."""


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    try:
        major, minor, patch = text.split(".")
        release = (_SMALL[major], _SMALL[minor], _SMALL[patch])
    except (ValueError, KeyError):
        return _read_any(text, dialect)
    return Version(text, dialect, (*release, 1), release, False)


def _read_any(text: str, dialect: Dialect) -> Version | str:
    match = _FULL.fullmatch(text) or _FULL.fullmatch(text.strip(SPACES))
    if match is None:
        return "expected three numbers, such as 1.2.3 or 1.2.3-rc.1"
    major, minor, patch, prerelease = match.groups()
    release = (int(major), int(minor), int(patch))
    if len(text) > _SAFE_LENGTH and max(release) > MAX_NUMBER:
        return f"a number is larger than {MAX_NUMBER}"
    return version_of(dialect, release, identifiers(prerelease) if prerelease else None, text)


def version_at(dialect: Dialect, release: Release, prerelease: str | None = None) -> Version:
    """The version of three numbers, written from its parts; raises TooLarge."""
    major, minor, patch = release
    if major > MAX_NUMBER or minor > MAX_NUMBER or patch > MAX_NUMBER:
        raise TooLarge
    tail = identifiers(prerelease) if prerelease else None
    return version_of(dialect, release, tail, spelled(release, prerelease))


def version_of(dialect: Dialect, release: Release, tail: Key | None, text: str) -> Version:
    """The version with a pre-release whose key is `tail`, or without one."""
    if tail is None:
        return Version(text, dialect, (*release, 1), release, False)
    return Version(text, dialect, (*release, 0, *tail), release, True)


def spelled(release: Release, prerelease: str | None) -> str:
    """The parts as a version is written."""
    major, minor, patch = release
    return f"{major}.{minor}.{patch}-{prerelease}" if prerelease else f"{major}.{minor}.{patch}"


def identifiers(prerelease: str) -> Key:
    """Numbers before words, each in its own order. A shorter list is older, as it is for tuples.

    Beyond `MAX_NUMBER` two numbers compare as floating point, as they do in JavaScript.
    """
    return tuple(map(_identifier, prerelease.split(".")))


def _identifier(text: str) -> tuple[int, int | float | str]:
    if not text.isdecimal():
        return (1, text)
    number = int(text)
    return (0, number if number < MAX_NUMBER else float(number))


def floor(release: Version) -> Bound:
    """The cut below every pre-release of a release, written `-0` in the ranges of this family."""
    return Bound((*release.release, 0, (0, 0)), BELOW, release)


class Partial:
    """A version whose last parts may be missing or wildcards: `1.2`, `1.x`, `*`.

    `numbers` has zeros for what is missing. A part after a wildcard is not read and may be anything.
    """

    __slots__ = ("dialect", "numbers", "parts", "prerelease", "size")

    def __init__(
        self, dialect: Dialect, major: str, minor: str | None, patch: str | None, prerelease: str | None
    ) -> None:
        self.dialect = dialect
        self.parts = (major, minor, patch)
        self.prerelease: str | None = None
        if major in WILD:
            self.size, self.numbers = 0, (0, 0, 0)
        elif minor is None or minor in WILD:
            self.size, self.numbers = 1, (int(major), 0, 0)
        elif patch is None or patch in WILD:
            self.size, self.numbers = 2, (int(major), int(minor), 0)
        else:
            self.size, self.numbers = 3, (int(major), int(minor), int(patch))
            self.prerelease = prerelease

    def is_ordered(self) -> bool:
        """No number follows a wildcard."""
        return all(part in WILD for part in self.parts[self.size :])

    def start(self) -> Version:
        """The version itself, with zeros for what is missing."""
        return version_at(self.dialect, self.numbers, self.prerelease)

    def next(self, part: int) -> Version:
        """The first release in which the given part is one higher."""
        return version_at(self.dialect, (*self.numbers[:part], self.numbers[part] + 1, 0, 0)[:3])
