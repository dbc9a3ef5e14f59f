"""`masterminds`: the constraints of Masterminds/semver, as Helm and many Go hosts read them.

    range       = group ( "||" group )*                at most 32
    group       = comparator ( ( space | "," ) comparator )*     all of which must hold
    comparator  = ( "=" | "!=" | ">" | "<" | ">=" | "=>" | "<=" | "=<" | "~" | "~>" | "^" )? version
    version     = "v"? part ( "." part ( "." part )? )? ( "-" prerelease )? ( "+" build )?

`1 - 2` is rewritten to `>= 1, <= 2` wherever it occurs. A pre-release anywhere in a group admits pre-releases for
the whole group; without one, no pre-release is admitted.

One difference is intentional and stricter: `!=1.2-a`, which excludes one pre-release of every 1.2.x, is not an
interval, so all pre-releases of 1.2.x are excluded.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from processors.versions.model import (
    EVERYTHING,
    HIGHEST,
    LOWEST,
    Bound,
    Dialect,
    Interval,
    Key,
    Release,
    Version,
    above,
    below,
    intersection,
    union,
)
from processors.versions.semver import WILD, floor, spelled, version_of

MAX_NUMBER: Final = 2**64 - 1
MAX_GROUPS: Final = 32

_PRERELEASE: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SUFFIX: Final = rf"(?:-({_PRERELEASE}))?(?:\+{_PRERELEASE})?"
_VERSION: Final = re.compile(rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?{_SUFFIX}")

_SPACES: Final = "\t\n\f\r "
_SPACE: Final = rf"[{_SPACES}]*"
_OPERATOR: Final = r"(>=|=>|<=|=<|!=|~>|[=<>~^]|)"
_PART: Final = r"[0-9xX*]+"
_COMPARATOR: Final = re.compile(rf"{_SPACE}{_OPERATOR}{_SPACE}v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?{_SUFFIX}")
_SEPARATOR: Final = re.compile(rf"{_SPACE},|[{_SPACES}]+")

# The bar is not a separator here: `1||2 - 3` is rewritten to `>= 1||2, <= 3`.
_BARRED: Final = r"[0-9|xX*]+"
_END: Final = rf"v?{_BARRED}(?:\.{_BARRED})?(?:\.{_BARRED})?(?:-{_PRERELEASE})?(?:\+{_PRERELEASE})?"
_HYPHEN: Final = re.compile(rf"{_SPACE}({_END})[{_SPACES}]+-[{_SPACES}]+({_END}){_SPACE}")


class _Comparator(NamedTuple):
    """`size` counts the parts before the first wildcard or missing one; `at` has zeros from there on."""

    operator: str
    at: Version
    size: int


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused. Missing parts are zero: v1.30 is a version."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return "expected one to three numbers, such as v1.30 or 1.30.2-gke.100"
    version = _version(dialect, match.groups()[:3], match[4], text)
    return version or f"a number is larger than {MAX_NUMBER}, or a number in the pre-release starts with 0"


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all of `v1.30`, for example; None for any text that is not one or two numbers."""
    match = _VERSION.fullmatch(text)
    if match is None or match[3] or match[4] or "+" in text:
        return None
    at = _version(dialect, match.groups()[:3], None, "")
    return (below(at), _behind(at, 2 if match[2] else 1)) if at else None


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, or the position in the text where parsing stopped."""
    rewritten = _HYPHEN.sub(lambda span: f">= {span[1]}, <= {span[2]} ", text) if "-" in text else text
    groups = rewritten.split("||")
    if len(groups) > MAX_GROUPS:
        return len("||".join(groups[:MAX_GROUPS]))
    intervals: list[Interval] = []
    for group in groups:
        comparators, rest = _comparators(group, dialect)
        if rest is not None:
            return max(text.find(rest), 0)
        intervals += _group(comparators)
    return union(intervals)


def _comparators(group: str, dialect: Dialect) -> tuple[list[_Comparator], str | None]:
    """The comparators of a group, and the rest of its text if that cannot be parsed."""
    found: list[_Comparator] = []
    position = 0
    while True:
        match = _COMPARATOR.match(group, position)
        comparator = _comparator(match, dialect) if match else None
        if match is None or comparator is None:
            return found, group[position:]
        found.append(comparator)
        if not group[match.end() :].strip(_SPACES):
            return found, None
        separator = _SEPARATOR.match(group, match.end())
        if separator is None:
            return found, group[match.end() :]
        position = separator.end()


def _comparator(match: re.Match[str], dialect: Dialect) -> _Comparator | None:
    operator, *parts, prerelease = match.groups()
    size = next((i for i, part in enumerate(parts) if part in WILD), 3)
    at = _version(dialect, (*parts[:size], *(None for _ in parts[size:])), prerelease, "")
    return _Comparator(operator, at, size) if at else None


def _version(dialect: Dialect, parts: tuple[str | None, ...], prerelease: str | None, text: str) -> Version | None:
    if not all(part is None or part.isdecimal() for part in parts):
        return None
    release: Release = tuple(int(part or 0) for part in parts)
    tail = _tail(prerelease) if prerelease else None
    if max(release) > MAX_NUMBER or (prerelease and tail is None):
        return None
    return version_of(dialect, release, tail, text or spelled(release, prerelease))


def _tail(prerelease: str) -> Key | None:
    names = prerelease.split(".")
    if any(name.isdecimal() and name[0] == "0" and len(name) > 1 for name in names):
        return None
    return tuple((0, int(name)) if name.isdecimal() and int(name) <= MAX_NUMBER else (1, name) for name in names)


def _group(comparators: list[_Comparator]) -> tuple[Interval, ...]:
    intervals: tuple[Interval, ...] = (EVERYTHING,)
    for comparator in comparators:
        intervals = intersection(intervals, _intervals(comparator))
    if any(comparator.at.is_prerelease for comparator in comparators):
        return intervals
    return tuple(interval._replace(prereleases=frozenset()) for interval in intervals if interval.releases)


def _intervals(comparator: _Comparator) -> list[Interval]:
    operator, at, size = comparator
    if operator == "!=":
        return _not(comparator)
    lower, upper = LOWEST, HIGHEST
    match operator:
        case ">":
            lower = _behind(at, size) if size in {1, 2} else above(at)
        case "<":
            upper = below(at)
        case "<=" | "=<":
            upper = above(at) if size == 3 else _behind(at, size or 2)
        case ">=" | "=>":
            lower = below(at)
        case "^":
            lower, upper = below(at), _caret(comparator)
        case "" | "=" if size == 3:
            lower, upper = below(at), above(at)
        case _:
            lower, upper = below(at), _tilde(comparator)
    return [Interval(lower, upper)]


def _tilde(comparator: _Comparator) -> Bound:
    """A tilde on zeros, or on a star, sets no upper end."""
    _, at, size = comparator
    if size in {0, 3} and not any(at.release):
        return HIGHEST
    return _behind(at, min(size, 2))


def _caret(comparator: _Comparator) -> Bound:
    """Up to the next change of the leftmost part that is not zero. A star counts as 0.0.0 here."""
    _, at, size = comparator
    major, minor, _patch = at.release
    if major or size == 1:
        return _behind(at, 1)
    return _behind(at, 2 if minor or size == 2 else 3)


def _not(comparator: _Comparator) -> list[Interval]:
    _, at, size = comparator
    if size in {0, 3}:
        return [Interval(LOWEST, below(at)), Interval(above(at), HIGHEST)]
    start, end = floor(at), _behind(at, size)
    outside = [Interval(LOWEST, start), Interval(end, HIGHEST)]
    if size == 1:
        return outside
    if at.is_prerelease:
        return [*outside, Interval(start, end, prereleases=frozenset())]
    return [*outside, Interval(start, end, releases=False)]


def _behind(at: Version, size: int) -> Bound:
    """The cut after everything that shares the first `size` parts, without pre-releases of the next one."""
    release = (*at.release[: size - 1], at.release[size - 1] + 1, 0, 0)[:3]
    return floor(version_of(at.dialect, release, None, spelled(release, None)))
