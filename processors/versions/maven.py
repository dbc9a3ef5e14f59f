"""`maven`: version ranges of Maven artifacts, as NeoForge and the poms of Jenkins plugins use them.

    range = ( "[" | "(" ) lower? "," upper? ( "]" | ")" )  |  "[" version "]"     several, joined by commas
    A bare version is a recommendation and admits everything.

Order of qualifiers: alpha < beta < milestone < rc < snapshot < none < sp < any other word. Maven's own order
contradicts itself where a qualifier stands between dots (1.0.rc.1 < 1 < 1-2 < 1.0.rc.1). The key below is an
order there too, and Maven's order everywhere else.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from processors.versions.model import (
    ABOVE,
    EVERYTHING,
    HIGHEST,
    LOWEST,
    Bound,
    Dialect,
    Interval,
    Key,
    Version,
    above,
    below,
    union,
)

_TEXT: Final = re.compile(r"[!-~]+")
_BARE: Final = re.compile(r"[^<>=^~!|,\[\]() ]+")
_RESTRICTION: Final = re.compile(r"[\[(]([^\])]*)[\])]")
_RUNS: Final = re.compile(r"[0-9]+|[^0-9.-]+|[.-]")
_SHORT: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")

_Item: TypeAlias = int | str

_RELEASE: Final = "5"
_RANKS: Final = {"alpha": "0", "beta": "1", "milestone": "2", "rc": "3", "cr": "3", "snapshot": "4"} | {
    "": _RELEASE,
    "ga": _RELEASE,
    "final": _RELEASE,
    "release": _RELEASE,
    "sp": "6",
}
_LETTERS: Final = {"a": "alpha", "b": "beta", "m": "milestone"}

_OLDER_WORD, _OLDER_LIST, _END, _NEWER_WORD, _NEWER_LIST, _NUMBER, _BEHIND_ALL = range(7)


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused.

    Maven reads almost anything; blanks and brackets belong to ranges.
    """
    if not _TEXT.fullmatch(text) or re.search(r"[\[\](),]", text):
        return "expected printable ASCII without blanks, brackets and commas"
    segments = _segments(text.lower())
    numbers = _NUMBERS.match(text)
    release = tuple(map(int, numbers[0].split("."))) if numbers else ()
    unfinished = any(isinstance(item, str) and item < _RELEASE for segment in segments for item in segment)
    return Version(text, dialect, _key(segments), release, unfinished)


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all of `1.5`, for example; None for any text that is not one or two numbers."""
    version = read_version(text, dialect) if _SHORT.fullmatch(text) else None
    if not isinstance(version, Version):
        return None
    key = (0, *((_NUMBER, number) for number in version.release), (_BEHIND_ALL, 0))
    return below(version), Bound(key, ABOVE, version)


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, or the position in the text where parsing stopped. Ranges must not overlap and must ascend."""
    if _BARE.fullmatch(text) and _TEXT.fullmatch(text):
        return (EVERYTHING,)
    intervals: list[Interval] = []
    position = 0
    while position < len(text):
        match = _RESTRICTION.match(text, position)
        interval = _restriction(match, dialect) if match else None
        if match is None or interval is None or _overlaps(intervals, interval):
            return position
        intervals.append(interval)
        position = _next(text, match.end())
    return union(intervals) if intervals else 0


def _next(text: str, position: int) -> int:
    rest = text[position:].lstrip()
    rest = rest[1:].lstrip() if rest.startswith(",") else rest
    return len(text) - len(rest)


def _overlaps(earlier: list[Interval], interval: Interval) -> bool:
    if not earlier or earlier[-1].upper.version is None:
        return False
    return interval.lower.version is None or interval.lower.version < earlier[-1].upper.version


def _restriction(match: re.Match[str], dialect: Dialect) -> Interval | None:
    """None if Maven refuses it: a single version in round brackets, or ends in the wrong order."""
    includes_lower, includes_upper = match[0].startswith("["), match[0].endswith("]")
    ends = [end.strip() for end in match[1].split(",", 1)]
    versions = [read_version(end, dialect) if end else None for end in ends]
    if any(isinstance(version, str) for version in versions):
        return None
    first, last = versions[0], versions[-1]
    if len(ends) == 1 and not (first and includes_lower and includes_upper):
        return None
    lower, upper = LOWEST, HIGHEST
    if isinstance(first, Version):
        lower = below(first) if includes_lower else above(first)
    if isinstance(last, Version):
        upper = above(last) if includes_upper else below(last)
    interval = Interval(lower, upper)
    return None if interval.is_empty() else interval


def _segments(text: str) -> list[list[_Item]]:
    """Maven nests a list at each hyphen and at each change between digits and letters, each in the previous one."""
    segments: list[list[_Item]] = [[]]
    run: str | None = None
    for piece in _RUNS.findall(text):
        if piece in {".", "-"}:
            segments[-1].append(0 if run is None else _item(run))
            segments += [[]] if piece == "-" else []
            run = None
            continue
        if run is not None:
            _nest(segments, run, before_digit=piece.isdecimal())
            segments.append([])
        run = piece
    if run is not None:
        _nest(segments, run, before_digit=False)
    for segment in segments:
        while segment and segment[-1] in {0, _RELEASE}:
            segment.pop()
    while len(segments) > 1 and not segments[-1]:
        segments.pop()
    return segments


def _nest(segments: list[list[_Item]], run: str, *, before_digit: bool) -> None:
    """A word opens a list of its own, even after a dot."""
    if not run.isdecimal() and segments[-1]:
        segments.append([])
    segments[-1].append(_item(_LETTERS.get(run, run) if before_digit else run))


def _item(run: str) -> _Item:
    return int(run) if run.isdecimal() else _RANKS.get(run, f"7-{run}")


def _key(segments: list[list[_Item]]) -> Key:
    """The nested lists as one flat sequence.

    The rank of a list says whether it makes the version older or newer.
    """
    stream: list[tuple[int, _Item]] = []
    is_newer = False
    for depth, segment in enumerate(reversed(segments)):
        items = [(_rank(item), item) for item in segment]
        if depth:
            items.append((_NEWER_LIST if is_newer else _OLDER_LIST, 0))
        stream = [*items, *stream, (_END, 0)]
        decisive = next((item for item in segment if item not in {0, _RELEASE}), None)
        if decisive is not None:
            is_newer = _rank(decisive) > _END
    return (0, *stream)


def _rank(item: _Item) -> int:
    if isinstance(item, int):
        return _NUMBER
    return _OLDER_WORD if item < _RELEASE else _NEWER_WORD
