"""`generic`: any dotted version, in the order that package trackers use, and ranges over that order.

    range       = set ( "||" set )*
    set         = version " - " version  |  comparator ( blank comparator )*
    comparator  = ( "^" | "~" | "~>" | "~=" | "<" | ">" | "<=" | ">=" | "=" | "==" | "!=" )? version  |  "*"
    version     = "v"? text that begins with a digit, of which the last parts may be "x" or "*"

The order is libversion's (https://github.com/repology/libversion, doc/ALGORITHM.md). A version is split into runs
of digits and of letters. The ranks of runs, oldest first: a pre-release word, zero, a post-release word, another
number, a letter directly after a number (`1.0a`). Words compare by their first letter. The shorter version is
padded with zeros. There are four additions: more pre-release words (`1.0dev`), `CR1` means `rc1`, words that mark
the final release are ignored (`1.0.0.Final`), and so is build metadata after a plus.

Pre-releases are ordered like any version, and `<2` excludes those of 2. A partial version stands for every version
that begins with it: `<=9.1` admits 9.1.0.10, and `>17` does not admit 17.0.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from processors.versions.model import (
    ABOVE,
    BELOW,
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

_RUNS: Final = re.compile(r"[0-9]+|[a-z]+")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_TEXT: Final = re.compile(r"[!-~]+(?: [!-~]+)*")

_LOWEST_RANK, _UNFINISHED, _ZERO, _LATER, _NUMBER, _LETTER, _HIGHEST_RANK = range(7)

_UNFINISHED_WORDS: Final = frozenset(
    {"alpha", "beta", "rc", "cr", "milestone", "dev", "devel", "snapshot", "nightly", "canary", "ea", "eap"}
    | {"insider", "dmr"}
)
_LATER_WORDS: Final = frozenset({"pl", "errata", "sp"})
_FINISHED_WORDS: Final = frozenset({"final", "ga", "release"})

_OPERATOR: Final = r"(\^|~>|~=|~|>=|<=|==|!=|[<>=])?"
_NAMED: Final = r"([vV]?[0-9][0-9A-Za-z._+-]*(?:\.\*)*|\*|[xX](?![0-9A-Za-z]))"
_COMPARATOR: Final = re.compile(rf"{_OPERATOR} *{_NAMED}(?= |$)")
_SEPARATOR: Final = re.compile(r" +")
_HYPHEN: Final = re.compile(rf"{_NAMED} +- +{_NAMED}")
_SPAN: Final = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+)*)((?:\.[xX*])*)(?:\+[0-9A-Za-z.-]+)?")
_WILD: Final = frozenset({"*", "x", "X"})

_WHOLE: Final = 3
"""A version with this many numbers counts as complete and stands for itself."""


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    if not re.search(r"[0-9]", text, re.ASCII) or not _TEXT.fullmatch(text.strip(" ")):
        return "expected a version with at least one number, such as 3.0.0.0 or 1.0.0.Final"
    return version_of(text, text, dialect)


def version_of(text: str, spelled: str, dialect: Dialect) -> Version:
    """The version that is written as `text` and means `spelled`, which must contain a digit."""
    ranked = [*_ranked(spelled.partition("+")[0].lower().lstrip("v "))]
    leading = next((n for n, (rank, _) in enumerate(ranked) if rank not in {_ZERO, _NUMBER}), len(ranked))
    release = tuple(int(value) for _, value in ranked[:leading])
    unfinished = leading < len(ranked) and ranked[leading][0] == _UNFINISHED
    return Version(text, dialect, _key(ranked), release, unfinished)


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, or the position in the text where parsing stopped."""
    intervals: list[Interval] = []
    for part in text.split("||"):
        found = _read_set(part.strip(" "), dialect)
        if isinstance(found, str):
            return max(text.find(found), 0)
        intervals += found
    return union(intervals)


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all versions that begin with these numbers; None for any other text."""
    match = _SPAN.fullmatch(text.strip(" "))
    if match is None or "+" in text:
        return None
    named = _Named(text.strip(" "), dialect)
    return below(named.version), named.end()


def prefix_end(version: Version, numbers: Release) -> Bound:
    """The cut after every version that begins with these numbers, which messages show as `9.1.x`."""
    spelled = f"{'.'.join(map(str, numbers))}.x"
    key = _key([*map(_number, numbers), (_HIGHEST_RANK, 0)])
    return Bound(key, ABOVE, Version(spelled, version.dialect, key, numbers, is_prerelease=False))


_Run = tuple[int, int | str]
"""A rank, and what orders runs of equal rank."""


def _ranked(text: str) -> Iterator[_Run]:
    for run in _RUNS.finditer(text):
        word = run[0]
        if word[0].isdecimal():
            yield _number(int(word))
        elif word not in _FINISHED_WORDS:
            behind_a_number = run.start() > 0 and text[run.start() - 1].isdecimal()
            before_a_number = run.end() < len(text) and text[run.end()].isdecimal()
            yield _rank(word, alone=behind_a_number and not before_a_number), "r" if word == "cr" else word[0]


def _number(number: int) -> _Run:
    return (_NUMBER if number else _ZERO, number)


def _rank(word: str, *, alone: bool) -> int:
    if word in _LATER_WORDS or word.startswith(("post", "patch")):
        return _LATER
    if alone and word not in _UNFINISHED_WORDS and not word.startswith("pre"):
        return _LETTER
    return _UNFINISHED


def _key(ranked: list[_Run]) -> Key:
    """Comparable with any other, although the shorter of two has to be padded with zeros.

    Therefore a zero records whether what follows the zeros makes the version older or newer than ending there
    would.
    """
    key: list[tuple[int, int | str, int]] = []
    direction = 0
    for rank, value in reversed(ranked):
        if rank != _ZERO:
            direction = -1 if rank < _ZERO else 1
        elif direction == 0 or (direction < 0 and key[-1][0] == _LOWEST_RANK):
            continue  # trailing zeros do not count
        key.append((rank, value, direction if rank == _ZERO else 0))
    return (0, *reversed(key), (_ZERO, 0, 0))


class _Named:
    """A version in a range: complete, or a prefix that stands for many."""

    def __init__(self, token: str, dialect: Dialect) -> None:
        span = _SPAN.fullmatch(token)
        self.numbers: Release = tuple(map(int, span[1].split("."))) if span else ()
        self.is_prefix = bool(span and (span[2] or len(self.numbers) < _WHOLE))
        self.version = version_of(span[1] if span else token, span[1] if span else token, dialect)

    def end(self) -> Bound:
        """The cut after it and everything that begins with it, if it consists of numbers only."""
        return prefix_end(self.version, self.numbers) if self.numbers else above(self.version)

    def start(self) -> Bound:
        """The cut before it and its pre-releases, if it consists of numbers only."""
        return self.floor(self.numbers) if self.numbers else below(self.version)

    def span(self) -> Interval:
        return Interval(below(self.version), self.end() if self.is_prefix else above(self.version))

    def next(self, part: int) -> Bound:
        """The cut before the first version in which that part is one higher, and before its pre-releases."""
        numbers = self.version.release
        at = min(part, len(numbers) - 1)
        return self.floor((*numbers[:at], numbers[at] + 1))

    def floor(self, numbers: Release) -> Bound:
        key = _key([*map(_number, numbers), (_LOWEST_RANK, 0)])
        version = version_of(text := ".".join(map(str, numbers)), text, self.version.dialect)
        return Bound(key, BELOW, version)


class _Comparator(NamedTuple):
    operator: str
    token: str


def _read_set(text: str, dialect: Dialect) -> tuple[Interval, ...] | str:
    """What all comparators between two `||` admit, or the first text that is not a comparator."""
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen and not {hyphen[1], hyphen[2]} & _WILD and _is_version(hyphen[1]) and _is_version(hyphen[2]):
        first, last = _Named(hyphen[1], dialect), _Named(hyphen[2], dialect)
        return union([Interval(below(first.version), last.end())])
    found: tuple[Interval, ...] = (EVERYTHING,)
    for comparator in _comparators(text):
        if isinstance(comparator, str):
            return comparator
        found = intersection(found, _intervals(comparator, dialect))
    return found


def _comparators(text: str) -> Iterator[_Comparator | str]:
    position = 0
    while position < len(text):
        match = _COMPARATOR.match(text, position)
        if match is None or not _is_version(match[2]):
            yield text[position:]
            return
        yield _Comparator(match[1] or "", match[2])
        separator = _SEPARATOR.match(text, match.end())
        if separator is None and match.end() < len(text):
            yield text[match.end() :]
            return
        position = separator.end() if separator else len(text)


def _is_version(token: str) -> bool:
    """Wildcards stand only at the end, and nothing ends in a separator: `1.x.3` and `1.2-` are not versions."""
    if token in _WILD or _SPAN.fullmatch(token):
        return True
    runs = re.split(r"[._+-]", token)
    return all(runs) and not any(run in _WILD for run in runs)


def _intervals(comparator: _Comparator, dialect: Dialect) -> list[Interval]:
    operator, token = comparator
    if token in _WILD:
        return [] if operator in {"<", ">", "!="} else [EVERYTHING]
    named = _Named(token, dialect)
    lower, upper = LOWEST, HIGHEST
    match operator:
        case ">=":
            lower = below(named.version)
        case ">":
            lower = named.end()
        case "<=":
            upper = named.end()
        case "<":
            upper = named.start()
        case "^":
            lower, upper = below(named.version), named.next(_leading(named.version.release))
        case "~" | "~>":
            lower, upper = below(named.version), named.next(1)
        case "~=":
            lower, upper = below(named.version), named.next(max(len(named.version.release) - 2, 0))
        case "!=":
            span = named.span()
            return [Interval(LOWEST, span.lower), Interval(span.upper, HIGHEST)]
        case _:
            return [named.span()]
    return [Interval(lower, upper)]


def _leading(release: Release) -> int:
    """The leftmost part that is not zero, which a caret keeps fixed."""
    return next((part for part, number in enumerate(release) if number), len(release) - 1)
