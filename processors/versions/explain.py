"""Describes ranges in words: the only module that writes sentences about them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from processors.versions.model import Bound, Interval, Range, Version


_IN_FULL: Final = frozenset({"pep440", "maven", "jetbrains", "minimum", "wordpress"})
_NOTHING: Final = {"vscode": "three parts, such as ^1.104.0, before any version can fit"}


def explain(demand: Range) -> str:
    """A phrase that fits after "it needs": `2.0.0 or newer`, `1.2.x or 2.x`, `any version`."""
    intervals = demand.intervals
    if not intervals:
        return _NOTHING.get(demand.dialect, "a version that cannot exist")
    hole = _only_holes(intervals)
    return hole or " or ".join(dict.fromkeys(map(_interval, intervals)))


def _only_holes(intervals: tuple[Interval, ...]) -> str | None:
    """`any version except 1.2.0`, if the range leaves out only single versions."""
    first, last = intervals[0], intervals[-1]
    holes = [(left.upper, right.lower) for left, right in pairwise(intervals)]
    if not holes or not all(left.version and left.version == right.version for left, right in holes):
        return None
    whole = _interval(first._replace(upper=last.upper))
    return f"{whole} except {' and '.join(str(left.version) for left, _ in holes)}"


def _interval(interval: Interval) -> str:
    lower, upper = interval.lower, interval.upper
    if lower.version is None and upper.version is None:
        return "any version"
    if upper.version is None:
        return _from(lower)
    if lower.version is None:
        return _to(upper)
    return _exactly(lower, upper) or _wildcard(lower, upper) or _between(lower, upper)


def _from(lower: Bound) -> str:
    return f"{lower.version} or newer" if lower.side < 0 else f"a version newer than {lower.version}"


def _to(upper: Bound) -> str:
    return f"{upper.version} or older" if upper.side > 0 else f"a version older than {upper.version}"


def _exactly(lower: Bound, upper: Bound) -> str | None:
    if upper.version and upper.version.text == f"{lower.version}.x" and lower.side < 0:
        return upper.version.text
    return f"exactly {lower.version}" if lower.version == upper.version else None


def _wildcard(lower: Bound, upper: Bound) -> str | None:
    """`1.2.x` for the versions from 1.2.0 up to 1.3.0, if the dialect counts in three parts."""
    if lower.version is None or upper.version is None or lower.side > 0 or upper.side > 0:
        return None
    low, high = _padded(lower.version), _padded(upper.version)
    if lower.version.is_prerelease or upper.version.is_prerelease or len(low) != 3 or len(high) != 3:
        return None
    if low[1:] == high[1:] == (0, 0) and high[0] == low[0] + 1:
        return f"{low[0]}.x"
    if low[2] == high[2] == 0 and low[0] == high[0] and high[1] == low[1] + 1:
        return f"{low[0]}.{low[1]}.x"
    return None


def _padded(version: Version) -> tuple[int, ...]:
    """With three parts, in the dialects whose `^1` and `1.x` end before the pre-releases of 2."""
    whole = version.release if version.dialect in _IN_FULL else (*version.release, 0, 0)[:3]
    return version.release if len(version.release) > len(whole) else whole


def _between(lower: Bound, upper: Bound) -> str:
    start = f"from {lower.version}" if lower.side < 0 else f"newer than {lower.version}"
    end = f"up to {upper.version}" if upper.side > 0 else f"up to, but not including, {upper.version}"
    return f"{start} {end}" if lower.side < 0 else f"{start}, {end}"
