"""`vscode`: the `engines.vscode` of an extension, as VS Code itself compares it.

    range = "*" | ( "^" | ">=" )? part "." part "." part ( "-" anything )?      part = number | "x"

Three parts are required. In VS Code no version satisfies a demand with fewer parts, such as `^1.104`; here it is a
range that admits nothing, which `is_empty` reports. A text without any version is not a range. The suffix of the
host, such as `-insider`, is ignored, and so is the suffix of a range.
"""

from __future__ import annotations

import re
from typing import Final

from processors.versions.model import (
    EVERYTHING,
    HIGHEST,
    Bound,
    Dialect,
    Interval,
    Release,
    Version,
    above,
    below,
    union,
)
from processors.versions.semver import MAX_NUMBER, SPACES, spelled

_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)(?:-.*)?")
_SHORT: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,15}))?")
_RANGE: Final = re.compile(r"(\^|>=)?([0-9]+|x)\.([0-9]+|x)\.([0-9]+|x)(?:-.*)?")


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    match = _VERSION.fullmatch(text.strip(SPACES))
    if match is None:
        return "expected three numbers, such as 1.104.0"
    release = tuple(map(int, match.groups()))
    if max(release) > MAX_NUMBER:
        return f"a number is larger than {MAX_NUMBER}"
    return Version(text, dialect, release, release, is_prerelease=False)


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all of `1.104`, for example; None for any text that is not one or two numbers."""
    match = _SHORT.fullmatch(text.strip(SPACES))
    if match is None:
        return None
    major, minor = int(match[1]), int(match[2] or 0)
    following = (major, minor + 1, 0) if match[2] else (major + 1, 0, 0)
    return _at(dialect, (major, minor, 0)), _at(dialect, following)


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, none if VS Code would refuse every version, or the position where parsing stopped."""
    wanted = text.strip(SPACES)
    if wanted == "*":
        return (EVERYTHING,)
    match = _RANGE.fullmatch(wanted)
    if match is None:
        return () if re.search(r"[0-9]", wanted) else 0
    operator, *parts = match.groups()
    release: Release = tuple(0 if part == "x" else int(part) for part in parts)
    if max(release) > MAX_NUMBER:
        return 0
    if not _is_specific(release, parts):
        return ()
    if operator == ">=":
        return (Interval(_at(dialect, release), HIGHEST),)
    return _span(dialect, release, _free(operator, parts))


def _is_specific(release: Release, parts: list[str]) -> bool:
    """The major version is required, and before 1.0.0 the minor one too, because minor versions broke extensions
    then."""
    return "x" not in parts[: 1 if release[0] else 2]


def _free(operator: str | None, parts: list[str]) -> list[bool]:
    """Which parts of the host's version may be larger than written."""
    free = [part == "x" for part in parts]
    if operator == "^":
        return [free[0], free[1] or int(parts[0]) > 0, True]
    return free


def _span(dialect: Dialect, release: Release, free: list[bool]) -> tuple[Interval, ...]:
    major, minor, _patch = release
    at = _at(dialect, release)
    next_minor, next_major = _at(dialect, (major, minor + 1, 0)), _at(dialect, (major + 1, 0, 0))
    same_patch = Bound(at.key, above(at.version).side, at.version) if at.version else at
    intervals = [Interval(at, next_minor if free[2] else same_patch)]
    if free[1]:
        intervals.append(Interval(next_minor, next_major))
    if major == 0 and any(free):  # 1.x runs what was made for 0.x, unless that demands one exact version
        intervals.append(Interval(_at(dialect, (1, 0, 0)), _at(dialect, (2, 0, 0))))
    return union(intervals)


def _at(dialect: Dialect, release: Release) -> Bound:
    return below(Version(spelled(release, None), dialect, release, release, is_prerelease=False))
