"""Converts the events of an OSV range to version ranges in one of our dialects.

OSV uses the order of the ecosystem, pre-releases included: a pre-release of an affected release is affected. So
semantic versions use `npm-prerelease`, which has no rule that excludes pre-releases, and in PEP 440 "older than
2.0" is written `<=2.0,!=2.0`, because `<2.0` excludes 2.0rc1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from processors.errors import VersionInvalid
from processors.versions import Dialect, Version, parse_version

_DIALECTS: Final = {
    "npm": Dialect.NPM_PRERELEASE,
    "go": Dialect.NPM_PRERELEASE,
    "crates.io": Dialect.NPM_PRERELEASE,
    "hex": Dialect.NPM_PRERELEASE,
    "pub": Dialect.NPM_PRERELEASE,
    "swifturl": Dialect.NPM_PRERELEASE,
    "vscode": Dialect.NPM_PRERELEASE,
    "pypi": Dialect.PEP440,
    "maven": Dialect.MAVEN,
}

FALLBACK: Final = Dialect.MAVEN
"""For all other ecosystems: it orders any dotted version, and its brackets say which end is included.

Words that it does not know, such as RubyGems' `pre`, count as newer than the plain version.
"""

_EVERYTHING: Final = {Dialect.NPM_PRERELEASE: "*", Dialect.PEP440: ">=0.dev0", Dialect.MAVEN: "(,)"}

EVENTS: Final = ("fixed", "introduced", "last_affected", "limit")
"""The order of events at one version: fixed and introduced again means affected; introduced and last affected
means only that version."""

BEGINNING: Final = "0"
"""OSV's word for "before any version" in `introduced`."""

NO_LIMIT: Final = "*"


class Event(NamedTuple):
    """An event at a version."""

    kind: str
    version: str


class Span(NamedTuple):
    """Affected versions from `start`, which is included; None is open. `end` is included if `closed`."""

    start: str | None
    end: str | None
    closed: bool = False


def dialect_of(ecosystem: str) -> Dialect:
    """The dialect for an OSV ecosystem, whatever follows its colon."""
    return _DIALECTS.get(ecosystem.partition(":")[0].lower(), FALLBACK)


def spans(events: Iterable[Event], dialect: Dialect) -> tuple[Span, ...]:
    """The affected spans, by the evaluation that the OSV schema describes. Raises VersionInvalid."""
    events = tuple(events)
    ordered = sorted((e for e in events if e.kind != "limit"), key=lambda event: _place(event, dialect))
    limits = [event.version for event in events if event.kind == "limit"]
    found = tuple(_stretches(ordered))
    if not limits or NO_LIMIT in limits:
        return found
    last = max(limits, key=lambda limit: parse_version(limit, dialect))
    return tuple(cut for span in found if (cut := _cut(span, last, dialect)) is not None)


def written(span: Span, dialect: Dialect) -> str:
    """A span as a range of the dialect, which must be one that `dialect_of` gives."""
    start, end, closed = span
    if start is None and end is None:
        return _EVERYTHING[dialect]
    match dialect:
        case Dialect.MAVEN:
            return f"{'[' if start else '('}{start or ''},{end or ''}{']' if closed else ')'}"
        case Dialect.PEP440:
            upper = f"<={end}" if closed else f"<={end},!={end}"
            return ",".join(filter(None, (f">={start}" if start else "", upper if end else "")))
        case _:
            upper = f"{'<=' if closed else '<'}{end}"
            return " ".join(filter(None, (f">={start}" if start else "", upper if end else "")))


def exactly(version: str, dialect: Dialect) -> str:
    """The range of one version."""
    match dialect:
        case Dialect.MAVEN:
            return f"[{version}]"
        case Dialect.PEP440:
            return f"=={version}"
        case _:
            return f"={version}"


def plain(version: str, ecosystem: str) -> str:
    """A version as its dialect reads it. Go versions begin with `v`, which OSV mostly omits."""
    return version.removeprefix("v") if ecosystem.lower() == "go" else version


def readable(version: str, dialect: Dialect) -> Version | None:
    try:
        return parse_version(version, dialect)
    except VersionInvalid:
        return None


def _place(event: Event, dialect: Dialect) -> tuple[bool, Version | None, int]:
    if event == ("introduced", BEGINNING):
        return (False, None, 0)
    return (True, parse_version(event.version, dialect), EVENTS.index(event.kind))


def _stretches(ordered: Iterable[Event]) -> Iterator[Span]:
    affected, start = False, None
    for event in ordered:
        if event.kind == "introduced":
            if not affected:
                affected, start = True, None if event.version == BEGINNING else event.version
        elif affected:
            yield Span(start, event.version, event.kind == "last_affected")
            affected = False
    if affected:
        yield Span(start, None)


def _cut(span: Span, limit: str, dialect: Dialect) -> Span | None:
    """The part of a span below a limit."""
    at = parse_version(limit, dialect)
    if span.start is not None and parse_version(span.start, dialect) >= at:
        return None
    ends_later = span.end is None or parse_version(span.end, dialect) >= at
    return Span(span.start, limit) if ends_later else span
