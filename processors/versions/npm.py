"""`npm` and `npm-prerelease`: the ranges of npm's `semver`, strict and with `includePrerelease`.

    range       = set ( "||" set )*
    set         = partial " - " partial  |  comparator*          all of which must hold
    comparator  = ( "^" | "~" | "~>" | "<" | ">" | "<=" | ">=" | "=" )? [v=]* partial
    partial     = part ( "." part ( "." part ( "-" prerelease )? )? )?    part = number | "x" | "X" | "*"

The two differ only in pre-releases. Strict admits one only if a comparator names a pre-release of the same three
numbers. The other orders them like any version, and lets partial versions begin at `-0`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from processors.versions.model import EVERYTHING, Bound, Dialect, Interval, Release, Version, above, below, union
from processors.versions.semver import (
    BUILD,
    NUMBER,
    PRERELEASE,
    SHORT,
    SPACES,
    Partial,
    TooLarge,
    floor,
    version_of,
)

_PART: Final = rf"{NUMBER}|[xX*]"
_PARTIAL: Final = rf"({_PART})(?:\.({_PART})(?:\.({_PART})(?:-({PRERELEASE}))?)?)?"

_COMPARATOR: Final = re.compile(rf"(\^|~>?|[<>]?=?)([v=]*){_PARTIAL}")
_PLAIN: Final = re.compile(rf"([<>]?=?)(v?)(({SHORT})\.({SHORT})\.({SHORT}))")
"""Fast path for the most common comparator: on a release, with numbers that cannot be too large."""

_HYPHEN: Final = re.compile(rf"([v= ]*){_PARTIAL} +- +([v= ]*){_PARTIAL}")
_SPACE: Final = re.compile(f"[{SPACES}]+")
_BUILD: Final = re.compile(BUILD)
_ENDS: Final = re.compile(rf"v?{_PARTIAL}")
_STAR: Final = re.compile(r"[<>]?=?\*")

# White space may stand inside a comparator at these places. The version part is matched in full, so that the last
# letter of a pre-release is never taken for the `v` of the next comparator.
_LOOSE_IDENTIFIER: Final = r"(?:[0-9]*[A-Za-z-][0-9A-Za-z-]*|[0-9]+)"
_LOOSE_VERSION: Final = (
    rf"[0-9]+\.[0-9]+\.[0-9]+(?:-?{_LOOSE_IDENTIFIER}(?:\.{_LOOSE_IDENTIFIER})*)?"
    rf"|(?:{_PART})(?:\.(?:{_PART})(?:\.(?:{_PART})(?:-{PRERELEASE})?)?)?"
)
_GAP: Final = re.compile(rf"( ?[<>]?=?) ?([v= ]*(?:{_LOOSE_VERSION}))")
_CARET_GAP: Final = re.compile(r"(~>?|\^) +")

_LENIENT: Final = Dialect.NPM_PRERELEASE
_NO_PRERELEASES: Final = frozenset[Release]()
_NOTHING: Final = Interval(EVERYTHING.upper, EVERYTHING.lower)


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, or the position in the text where parsing stopped."""
    sets: list[Interval] = []
    for part in _spaced(text).split("||"):
        found = _read_set(part.strip(" "), dialect)
        if found is None:
            return _position(part, text, dialect)
        sets.append(found)
    if len(sets) == 1:
        return () if sets[0].is_empty() else (sets[0],)
    return union(_widest(sets))


def _spaced(text: str) -> str:
    """The text with one plain space for each run of white space; most texts have that already."""
    tidy = text.isascii() and text.isprintable() and "  " not in text
    return text if tidy else _SPACE.sub(" ", text)


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after a version with wildcards or missing parts; None for any other text."""
    match = _ENDS.fullmatch(text.strip(SPACES))
    version = Partial(dialect, *match.groups()) if match else None
    if version is None or version.size == 3 or not version.is_ordered():
        return None
    try:
        return (below(version.start()), floor(_after(version))) if version.size else EVERYTHING[:2]
    except TooLarge:
        return None


def _widest(sets: list[Interval]) -> list[Interval]:
    """An alternative that admits every release makes the others void, and with them the pre-releases that they
    name."""
    return next(([one] for one in sets if one[:2] == EVERYTHING[:2]), sets)


def _read_set(text: str, dialect: Dialect) -> Interval | None:
    """All comparators between two `||`: one interval, because each comparator is one."""
    if "+" in text:
        text = _BUILD.sub("", text)
    try:
        hyphen = _HYPHEN.fullmatch(text.strip(" ")) if " - " in text else None
        if hyphen:
            return _hyphen(hyphen, dialect)
        pieces = _comparators(text.split(" "), dialect)
        if pieces is None:
            pieces = _comparators(_close_gaps(text).split(" "), dialect)
    except TooLarge:
        return None
    return None if pieces is None else _all_of(pieces, dialect)


def _position(part: str, text: str, dialect: Dialect) -> int:
    """The position of the first comparator that cannot be read.

    Used for a message only, so it may be approximate.
    """
    tokens = _close_gaps(part.strip(" ")).split(" ")
    culprit = next((token for token in tokens if _read_set(token, dialect) is None), part)
    return max(text.find(culprit), 0)


def _all_of(pieces: list[Interval], dialect: Dialect) -> Interval:
    """The intersection of the pieces; in strict mode a pre-release that any of them names may pass."""
    lower, upper, named, _ = pieces[0]
    for piece in pieces[1:]:
        lower, upper = max(lower, piece.lower), min(upper, piece.upper)
        if piece.prereleases:
            named = piece.prereleases | (named or _NO_PRERELEASES)
    return Interval(lower, upper, None if dialect is _LENIENT else named or _NO_PRERELEASES)


def _close_gaps(text: str) -> str:
    return _CARET_GAP.sub(lambda gap: gap[1][0], _GAP.sub(r"\1\2", text))


def _comparators(tokens: list[str], dialect: Dialect) -> list[Interval] | None:
    pieces: list[Interval] = []
    for token in tokens:
        piece = _comparator(token, dialect) if token else EVERYTHING
        if piece is None:
            return None
        pieces.append(piece)
    return pieces


@lru_cache(8192)
def _comparator(token: str, dialect: Dialect) -> Interval | None:
    """One comparator. Cached, because comparators recur far more often than whole ranges do."""
    plain = _PLAIN.fullmatch(token)
    if plain is None:
        return _any_comparator(token, dialect)
    operator, prefix, text, major, minor, patch = plain.groups()
    version = version_of(dialect, (int(major), int(minor), int(patch)), None, text)
    return _full(operator, version, literal=not prefix)


def _any_comparator(token: str, dialect: Dialect) -> Interval | None:
    match = _COMPARATOR.fullmatch(token)
    if match is None:
        return _stray_star(token, dialect)
    operator, prefix, major, minor, patch, prerelease = match.groups()
    version = Partial(dialect, major, minor, patch, prerelease)
    if operator == "^":
        return _caret(version)
    if operator in {"~", "~>"}:
        return _tilde(version)
    if version.size < 3:
        return _partial(operator, version) if version.is_ordered() else None
    if prefix not in {"", "v"}:
        return None
    return _full(operator, version.start(), literal=not prefix)


def _stray_star(token: str, dialect: Dialect) -> Interval | None:
    """npm drops one misplaced star, as in `1.2.3*`; what is left must be a full version."""
    if "*" not in token:
        return None
    match = _COMPARATOR.fullmatch(_STAR.sub("", token, count=1))
    if match is None or match[1] in {"^", "~", "~>"} or match[2] not in {"", "v"}:
        return None
    version = Partial(dialect, *match.groups()[2:])
    return _full(match[1], version.start(), literal=not match[2]) if version.size == 3 else None


def _caret(version: Partial) -> Interval:
    """Up to the next change of the leftmost part that is not zero."""
    if version.size == 0:
        return EVERYTHING
    leading = [part != "0" for part in version.parts[: version.size]]
    return _up_to(version, leading.index(True) if True in leading else version.size - 1)


def _tilde(version: Partial) -> Interval:
    """Up to the next minor version, or the next major one where no minor is named."""
    return _up_to(version, min(version.size - 1, 1)) if version.size else EVERYTHING


def _up_to(version: Partial, part: int) -> Interval:
    return Interval(_start(version), floor(version.next(part)), _named(version))


def _partial(operator: str, version: Partial) -> Interval:
    """A comparator on a version with wildcards covers the whole span of that version."""
    if version.size == 0:
        return _NOTHING if operator in {"<", ">"} else EVERYTHING
    match operator:
        case ">":
            return Interval(_begin(_after(version)), EVERYTHING.upper)
        case ">=":
            return Interval(_begin(version.start()), EVERYTHING.upper)
        case "<":
            return Interval(EVERYTHING.lower, floor(version.start()))
        case "<=":
            return Interval(EVERYTHING.lower, floor(_after(version)))
        case _:
            return Interval(_start(version), floor(_after(version)))


def _full(operator: str, at: Version, *, literal: bool) -> Interval:
    """A comparator on a complete version. `literal` means that it consists of its numbers only."""
    named = frozenset({at.release}) if at.is_prerelease else None
    match operator:
        case ">":
            return Interval(above(at), EVERYTHING.upper, named)
        case ">=":
            return Interval(_from(at) if literal else below(at), EVERYTHING.upper, named)
        case "<":
            return Interval(EVERYTHING.lower, below(at), named)
        case "<=":
            return Interval(EVERYTHING.lower, above(at), named)
        case _:
            return Interval(below(at), above(at), named)


def _hyphen(match: re.Match[str], dialect: Dialect) -> Interval | None:
    """`1.2 - 2` runs to the end of 2.x. None if a complete version follows a prefix other than `v`."""
    prefix, *parts = match.groups()[:5]
    upper_prefix, *upper_parts = match.groups()[5:]
    start, end = Partial(dialect, *parts), Partial(dialect, *upper_parts)
    rebuilt = end.prerelease or dialect is Dialect.NPM_PRERELEASE
    if (start.size == 3 and prefix not in {"", "v"}) or (
        end.size == 3 and not rebuilt and upper_prefix not in {"", "v"}
    ):
        return None
    sides = [
        Interval(_start_of_hyphen(start, prefix), EVERYTHING.upper, _named(start)),
        Interval(EVERYTHING.lower, _end_of_hyphen(end), _named(end)),
    ]
    return _all_of(sides, dialect)


def _start_of_hyphen(start: Partial, prefix: str) -> Bound:
    if start.size == 0:
        return EVERYTHING.lower
    spelled_out = start.prerelease or (start.size == 3 and prefix and start.dialect is Dialect.NPM)
    return below(start.start()) if spelled_out else _begin(start.start())


def _end_of_hyphen(end: Partial) -> Bound:
    if end.size == 0:
        return EVERYTHING.upper
    if end.size < 3:
        return floor(_after(end))
    if end.prerelease or end.dialect is Dialect.NPM:
        return above(end.start())
    return floor(end.next(2))


def _start(version: Partial) -> Bound:
    return _begin(version.start()) if version.size < 3 else _from(version.start())


def _begin(version: Version) -> Bound:
    """The lower end of a version without a patch: with its pre-releases, if they are ordered."""
    return floor(version) if version.dialect is Dialect.NPM_PRERELEASE else _from(version)


def _from(version: Version) -> Bound:
    """npm drops a strict `>=0.0.0`. This matters for a pre-release of 0.0.0, and if `*` voids alternatives."""
    dropped = version.key == (0, 0, 0, 1) and version.dialect is Dialect.NPM
    return EVERYTHING.lower if dropped else below(version)


def _after(version: Partial) -> Version:
    """The first release after the span of a version with wildcards."""
    return version.next(version.size - 1)


def _named(version: Partial) -> frozenset[Release] | None:
    return frozenset({version.start().release}) if version.prerelease else None
