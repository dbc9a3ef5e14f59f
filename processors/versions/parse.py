"""Parses versions and ranges by dialect. Results and refusals are cached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from processors.errors import RangeInvalid, VersionInvalid
from processors.versions import (
    generic,
    jetbrains,
    masterminds,
    maven,
    minimum,
    npm,
    pep440,
    reported,
    semver,
    vscode,
)
from processors.versions.model import HIGHEST, LOWEST, Bound, Dialect, Interval, Range, Version, above, below

MAX_LENGTH: Final = 256
"""Characters. Anything longer is refused unread; npm has the same limit for versions."""

_RECURRING: Final = 64
"""The most characters of a text that is cached.

Longer texts are rare, and a range of 85 alternatives takes a hundred times the memory of `^1.0.0`.
"""

_T = TypeVar("_T")


class _Reader(NamedTuple):
    """How one dialect reads texts. A refusal is a value, so that it can be cached like any result."""

    version: Callable[[str, Dialect], Version | str]
    range: Callable[[str, Dialect], tuple[Interval, ...] | int]
    ends: Callable[[str, Dialect], tuple[Bound, Bound] | None]
    """The cuts before and after everything that a partial version stands for; None for any other text."""


_NPM: Final = _Reader(semver.read_version, npm.read_range, npm.read_ends)
_MINIMUM: Final = _Reader(minimum.read_version, minimum.read_range, minimum.read_ends)
_REPORTED: Final = _Reader(reported.read_version, reported.read_range, reported.read_ends)

_READERS: Final = {
    Dialect.NPM: _NPM,
    Dialect.NPM_PRERELEASE: _NPM,
    Dialect.MASTERMINDS: _Reader(masterminds.read_version, masterminds.read_range, masterminds.read_ends),
    Dialect.VSCODE: _Reader(vscode.read_version, vscode.read_range, vscode.read_ends),
    Dialect.PEP440: _Reader(pep440.read_version, pep440.read_range, pep440.read_ends),
    Dialect.MAVEN: _Reader(maven.read_version, maven.read_range, maven.read_ends),
    Dialect.JETBRAINS: _Reader(jetbrains.read_version, jetbrains.read_range, jetbrains.read_ends),
    Dialect.MINIMUM: _MINIMUM,
    Dialect.WORDPRESS: _MINIMUM,
    Dialect.GENERIC: _Reader(generic.read_version, generic.read_range, generic.read_ends),
    Dialect.JAVA: _REPORTED,
    Dialect.GO: _REPORTED,
    Dialect.NODE: _REPORTED,
    Dialect.PYTHON: _REPORTED,
    Dialect.PHP: _REPORTED,
    Dialect.RUBY: _REPORTED,
    Dialect.DOTNET: _REPORTED,
    Dialect.POSTGRESQL: _REPORTED,
    Dialect.MYSQL: _REPORTED,
    Dialect.MARIADB: _REPORTED,
    Dialect.REPORTED: _REPORTED,
}

EXAMPLES: Final[Mapping[str, str]] = {
    Dialect.NPM: ">=1.8.0 <2.0.0",
    Dialect.NPM_PRERELEASE: ">=10.0.0-0 <12.0.0",
    Dialect.MASTERMINDS: ">=1.19.0-0, <2",
    Dialect.VSCODE: "^1.85.0",
    Dialect.PEP440: ">=1.8,<2",
    Dialect.MAVEN: "[1.8,2.0)",
    Dialect.JETBRAINS: "since=231 until=233.*",
    Dialect.MINIMUM: "2.319.3",
    Dialect.WORDPRESS: "6.4",
    Dialect.GENERIC: ">=3.0.0.0 <4",
    Dialect.JAVA: ">=17",
    Dialect.GO: ">=1.21",
    Dialect.NODE: ">=18 <23",
    Dialect.PYTHON: ">=3.9",
    Dialect.PHP: ">=8.1",
    Dialect.RUBY: ">=3.1",
    Dialect.DOTNET: ">=8.0",
    Dialect.POSTGRESQL: ">=14",
    Dialect.MYSQL: ">=8.0",
    Dialect.MARIADB: ">=10.6",
    Dialect.REPORTED: ">=1.2 <2",
}
"""An example of a range in each dialect."""


def hint(text: str, dialect: Dialect) -> str:
    """What is wrong with a refused range, if it is a common mistake; else empty."""
    return jetbrains.hint(text) if dialect is Dialect.JETBRAINS else ""


def _range(text: str, dialect: Dialect) -> Range | int:
    found = _READERS[dialect].range(text, dialect)
    return found if isinstance(found, int) else Range(text, dialect, found)


def _remembering(read: Callable[[str, Dialect], _T], dialect: Dialect, most: int) -> Callable[[str], _T]:
    """One cache for each dialect: a cache with a single text as its key is the fastest."""

    def unremembered(text: str) -> _T:
        return read(text, dialect)

    cached = lru_cache(most)(unremembered)

    def remembered(text: str) -> _T:
        return cached(text) if len(text) <= _RECURRING else unremembered(text)

    return remembered


_VERSIONS: Final = {dialect: _remembering(reader.version, dialect, 32_768) for dialect, reader in _READERS.items()}
_RANGES: Final = {dialect: _remembering(_range, dialect, 8_192) for dialect in _READERS}


def parse_version(text: str, dialect: Dialect = Dialect.NPM) -> Version:
    """Raises VersionInvalid. Cheap to call again with the same text, whether it was accepted or refused."""
    found = _VERSIONS[dialect](text) if len(text) <= MAX_LENGTH else f"longer than {MAX_LENGTH} characters"
    if isinstance(found, str):
        raise VersionInvalid(text, dialect, found)
    return found


def parse_range(text: str, dialect: Dialect = Dialect.NPM) -> Range:
    """Raises RangeInvalid. Cheap to call again with the same text, whether it was accepted or refused."""
    found = _RANGES[dialect](text) if len(text) <= MAX_LENGTH else MAX_LENGTH
    if isinstance(found, int):
        raise RangeInvalid(text, dialect, found, EXAMPLES[dialect])
    return found


def satisfies(range_text: str, version_text: str, dialect: Dialect = Dialect.NPM) -> bool:
    """Whether the version is in the range. Raises RangeInvalid or VersionInvalid: unreadable does not mean "no"."""
    return parse_range(range_text, dialect).admits(parse_version(version_text, dialect))


def between(min_version: str | None, max_version: str | None, dialect: Dialect = Dialect.NPM) -> Range:
    """From the lowest to the highest version, both included; None leaves that side open.

    The bounds are positions in the order and not comparators, so pre-releases between them are included, whatever
    the dialect does with them in a range. `1.5` as the highest version includes everything that begins with 1.5,
    and in npm's dialects `*` leaves a side open. Raises VersionInvalid.
    """
    lower = LOWEST if min_version is None else _ends(min_version, dialect)[0]
    upper = HIGHEST if max_version is None else _ends(max_version, dialect)[1]
    interval = Interval(lower, upper)
    ends = [
        f">={min_version}" if min_version is not None else "",
        f"<={max_version}" if max_version is not None else "",
    ]
    return Range(" ".join(filter(None, ends)), dialect, () if interval.is_empty() else (interval,))


def _ends(text: str, dialect: Dialect) -> tuple[Bound, Bound]:
    """The cuts before and after what a version names: one version, or for `1.5` everything that begins with 1.5."""
    ends = _READERS[dialect].ends(text, dialect) if len(text) <= MAX_LENGTH else None
    if ends is None:
        version = parse_version(text, dialect)
        return below(version), above(version)
    return ends
