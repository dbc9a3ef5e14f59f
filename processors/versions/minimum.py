"""`minimum` and `wordpress`: a lowest version and no highest, for hosts that accept any dotted form, such as
Jenkins.

    range = ">="? version        version = "v"? number ( "." number )* suffix? ( "+" build )?

Numbers come first; missing ones are zero. Then the suffix: pre-release words (alpha, beta, rc and the like) come
before the plain version, numbers and all other words after it. So 2.0-rc1 < 2.0 < 2.0-1 < 2.0.1, and Jenkins'
`4.5.10-2.0` and `63.v62d2fd4b_4793` are later than 4.5.10 and 63.

WordPress ignores everything after a hyphen: its `7.0-RC3-62340` satisfies 7.0.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Final

from processors.versions.model import ABOVE, HIGHEST, Bound, Dialect, Interval, Key, Version, below

_VERSION: Final = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)((?:[A-Za-z._~-][0-9A-Za-z._~-]*)?)(?:\+[0-9A-Za-z.-]*)?")
_NUMBERS: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)*")
_RANGE: Final = re.compile(r"\s*(?:>=)?\s*(\S+)\s*")
_RUNS: Final = re.compile(r"[0-9]+|[a-z]+")

_UNFINISHED: Final = {
    "snapshot": 0,
    "dev": 0,
    "nightly": 0,
    "alpha": 1,
    "beta": 2,
    "milestone": 3,
    "pre": 4,
    "preview": 4,
    "insider": 4,
    "rc": 5,
    "cr": 5,
}
_LETTERS: Final = {"a": "alpha", "b": "beta", "m": "milestone", "c": "rc"}

_OLDER_WORD, _END, _NEWER_WORD, _NUMBER = range(4)


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return "expected numbers with dots, such as 2.190.1"
    release = tuple(map(int, match[1].split(".")))
    suffix = _suffix(_counting(match[2], dialect).lower())
    key = (release[0], _trimmed(release[1:]), suffix)
    return Version(text, dialect, key, release, is_prerelease=suffix[0][0] == _OLDER_WORD)


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all versions that begin with these numbers; None for any other text."""
    version = read_version(text, dialect) if _NUMBERS.fullmatch(text.strip()) else None
    if not isinstance(version, Version):
        return None
    return below(version), Bound((version.release[0], (*version.release[1:], math.inf)), ABOVE, version)


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The interval, or the position in the text where parsing stopped."""
    match = _RANGE.fullmatch(text)
    version = read_version(match[1], dialect) if match else None
    if match is None or version is None or isinstance(version, str):
        return match.start(1) if match else 0
    return (Interval(below(version), HIGHEST),)


def _counting(suffix: str, dialect: Dialect) -> str:
    """The part of a suffix that the dialect considers."""
    return suffix.partition("-")[0] if dialect is Dialect.WORDPRESS else suffix


def _trimmed(numbers: tuple[int, ...]) -> tuple[int, ...]:
    size = len(numbers)
    while size and numbers[size - 1] == 0:
        size -= 1
    return numbers[:size]


def _suffix(text: str) -> Key:
    """Runs of digits and of letters, closed by a marker that sorts after pre-release words."""
    runs = _RUNS.findall(text)
    items = [_item(run, before_digit=following.isdecimal()) for run, following in pairwise([*runs, ""])]
    while items and items[-1] == (_NUMBER, 0):
        items.pop()
    return (*items, (_END, 0))


def _item(run: str, *, before_digit: bool) -> tuple[int, int | str]:
    if run.isdecimal():
        return (_NUMBER, int(run))
    word = _LETTERS.get(run, run) if before_digit else run
    return (_OLDER_WORD, _UNFINISHED[word]) if word in _UNFINISHED else (_NEWER_WORD, word)
