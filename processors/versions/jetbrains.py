"""`jetbrains`: build numbers of IntelliJ-based products, demanded as `since=231 until=241.*`.

Either end may be missing, but not both; both are inclusive. Missing parts are zero, so `until=221` excludes
221.5080. `*` and `SNAPSHOT` stand for the largest number; in `since`, a star would exclude the very builds that it
seems to begin with, so it is refused. A product code, as in `IU-231.9`, is ignored.
"""

from __future__ import annotations

import math
import re
from typing import Final

from processors.versions.model import HIGHEST, LOWEST, Bound, Dialect, Interval, Version, above, below
from processors.versions.semver import MAX_NUMBER

_PART: Final = r"(?:[0-9]+|\*|SNAPSHOT)"
_VERSION: Final = re.compile(rf"(?:[A-Z]+-)?({_PART}(?:\.{_PART})*)")
_SHORT: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_RANGE: Final = re.compile(r"(?:since=(\S+))?(?:(?:^|\s+)until=(\S+))?")


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return "expected a build number, such as 231.9011.34 or 241.*"
    numbers = [int(part) if part.isdecimal() else math.inf for part in match[1].split(".")]
    if any(MAX_NUMBER < number < math.inf for number in numbers):
        return f"a number is larger than {MAX_NUMBER}"
    if math.inf in numbers:
        del numbers[numbers.index(math.inf) + 1 :]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    release = tuple(MAX_NUMBER if number == math.inf else int(number) for number in numbers)
    return Version(text, dialect, tuple(numbers), release, is_prerelease=False)


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all of build `241`, for example; None for any text that is not one or two
    numbers."""
    if not _SHORT.fullmatch(text):
        return None
    first, last = read_version(text, dialect), read_version(f"{text}.*", dialect)
    return None if isinstance(first, str) or isinstance(last, str) else (below(first), above(last))


def hint(text: str) -> str:
    """What is wrong with a range, if it is a common mistake; else empty."""
    match = _RANGE.fullmatch(text.strip())
    return "a star has no place in `since`: write the first build, such as since=213" if _has_star(match) else ""


def _has_star(match: re.Match[str] | None) -> bool:
    return match is not None and "*" in (match[1] or "")


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The interval, none if `since` lies after `until`, or the position in the text where parsing stopped."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return 0
    lower, upper = LOWEST, HIGHEST
    if match[1]:
        since = read_version(match[1], dialect)
        if isinstance(since, str) or "*" in match[1]:
            return text.index(match[1])
        lower = below(since)
    if match[2]:
        until = read_version(match[2], dialect)
        if isinstance(until, str):
            return text.rindex(match[2])
        upper = above(until)
    interval = Interval(lower, upper)
    return () if interval.is_empty() else (interval,)
