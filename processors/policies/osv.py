"""Vulnerability records after the OSV schema (https://ossf.github.io/osv-schema), version 1, as policies.

What cannot be understood is refused with its place rather than left out: leaving a part out would let a
vulnerability pass. Fields about anything else than versions, severity or identity are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeGuard, cast

from processors.documents.yaml_text import Path
from processors.errors import DocumentRefused, Refused
from processors.matrix.reading import Fields, Reading
from processors.policies.cvss import base_score, rating
from processors.policies.document import SEVERITIES, Advisory, SecurityPolicy
from processors.policies.ranges import EVENTS, Event, Span, dialect_of, exactly, plain, readable, spans, written
from processors.versions import Dialect, parse_range

LONGEST_SUMMARY: Final = 1000

_MARKS: Final = ("affected", "schema_version", "id")
"""Keys that every OSV record has, and no policy of ours."""

_RANGES: Final = ("SEMVER", "ECOSYSTEM", "GIT")
_COMMITS: Final = "GIT"
_WORDS: Final = {**{word: word for word in SEVERITIES}, "important": "high", "moderate": "medium"}
_CVSS: Final = "CVSS_V3"


class _Affected(NamedTuple):
    """An entry of `affected`: the versions of one package. Without a severity, the record's applies."""

    component: str | None
    dialect: Dialect
    severity: str
    ranges: Sequence[str]
    fixed: Sequence[str]


def is_osv(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a document looks like an OSV record rather than like a policy of ours."""
    return isinstance(value, dict) and "component" not in value and any(key in value for key in _MARKS)


def read_osv(reading: Reading, value: Any, path: Path, component: str | None) -> list[SecurityPolicy]:
    """One policy with one advisory for each package of the record, or for `component` if that is given.

    Problems are collected in `reading`; if there are any, the policies must not be used. `published_at` is when the
    record was last modified, so that the same record gives the same policy.
    """
    record = Fields(reading, reading.mapping(value, path), path)
    if (record.text("schema_version") or "1").partition(".")[0] != "1":
        reading.refuse(record.at("schema_version"), "expected version 1 of the OSV schema")
    advisory, modified = _advisory(record), record.instant("modified") or 0
    about: dict[tuple[str, Dialect], list[_Affected]] = {}
    for entry in map(_affected, _each(record, "affected")):
        if (id := component or entry.component) is not None:
            about.setdefault((id, entry.dialect), []).append(entry)
    if not about:
        reading.refuse(record.at("affected"), "expected a package, with ecosystem and name; found none")
    return [_policy(id, dialect, modified, _about(advisory, entries)) for (id, dialect), entries in about.items()]


def _policy(component: str, dialect: Dialect, modified: int, advisory: Advisory) -> SecurityPolicy:
    return SecurityPolicy(
        component_id=component, policy_id="", published_at=modified, advisories=(advisory,), dialect=dialect.value
    )


def _advisory(record: Fields) -> Advisory:
    """What the record says of all its packages."""
    return Advisory(
        id=record.id("id"),
        aliases=record.texts("aliases"),
        summary=" ".join(record.text("summary", longest=LONGEST_SUMMARY).split()),
        severity=_severity(record),
        url=_url(record),
        withdrawn_at=record.instant("withdrawn"),
    )


def _about(advisory: Advisory, entries: Iterable[_Affected]) -> Advisory:
    """The advisory for one package, which a record may list several times; the worst severity counts."""
    entries = list(entries)
    stated = {entry.severity or advisory.severity for entry in entries}
    return replace(
        advisory,
        severity="" if "" in stated else min(stated, key=SEVERITIES.index),
        affected=tuple(dict.fromkeys(text for entry in entries for text in entry.ranges)),
        fixed=tuple(dict.fromkeys(text for entry in entries for text in entry.fixed)),
    )


def _affected(entry: Fields) -> _Affected:
    """Versions are affected if a range contains them or the list names them.

    Without either, or with commits only, every version counts as affected.
    """
    component, ecosystem = _package(entry)
    dialect = dialect_of(ecosystem)
    ranges, fixed = list[str](), list[str]()
    for one in _each(entry, "ranges"):
        if one.word("type", _RANGES) != _COMMITS:
            events = [*_events(one, ecosystem)]
            ranges += _of_events(one, events, dialect)
            fixed += [event.version for event in events if event.kind == "fixed"]
    versions = (plain(version, ecosystem) for version in entry.texts("versions"))
    ranges += _beyond(ranges, versions, dialect)
    everything = written(Span(None, None), dialect)
    return _Affected(component, dialect, _severity(entry), ranges or [everything], fixed)


def _package(entry: Fields) -> tuple[str | None, str]:
    """The component's id and its ecosystem. A record about a repository alone names no package."""
    if entry.given.get("package") is None:
        return None, ""
    package = Fields(entry.reading, entry.mapping("package"), entry.at("package"))
    ecosystem, name = package.id("ecosystem"), package.id("name")
    return f"{ecosystem.lower()}:{name}", ecosystem


def _events(one: Fields, ecosystem: str) -> Iterator[Event]:
    for event in _each(one, "events"):
        known = one.reading.fields(event.given, event.path, EVENTS)
        if len(known.given) != 1:
            one.reading.refuse(event.path, f"expected one of {', '.join(EVENTS)}; found {len(known.given)} fields")
            continue
        for kind in known.given.keys() & set(EVENTS):
            yield Event(kind, plain(known.required(kind), ecosystem))


def _of_events(one: Fields, events: Sequence[Event], dialect: Dialect) -> list[str]:
    """The texts of one range. Each of them can be read, or the range is refused."""
    if not any(event.kind == "introduced" for event in events):
        one.reading.refuse(one.at("events"), "expected an event `introduced`, found none")
    try:
        texts = [written(span, dialect) for span in spans(events, dialect)]
        for text in texts:
            parse_range(text, dialect)
    except Refused as error:
        one.reading.refuse(one.at("events"), str(error))
        return []
    return texts


def _beyond(ranges: Iterable[str], versions: Iterable[str], dialect: Dialect) -> Iterator[str]:
    """The listed versions outside all ranges.

    Those that the dialect cannot read are left out: no readable version equals them, and unreadable versions count
    as affected anyway.
    """
    known = [parse_range(text, dialect) for text in ranges]
    for text in versions:
        version = readable(text, dialect)
        if version is not None and not any(range.admits(version) for range in known):
            yield exactly(text, dialect)


def _severity(of: Fields) -> str:
    """The rating of the highest CVSS v3 score, else the database's own rating, else nothing, which blocks."""
    scores = [*_scores(of)]
    if scores:
        return rating(max(scores))
    own = of.given.get("database_specific")
    stated = cast("dict[str, Any]", own).get("severity") if isinstance(own, dict) else None
    return _WORDS.get(stated.lower(), "") if isinstance(stated, str) else ""


def _scores(of: Fields) -> Iterator[float]:
    for one in _each(of, "severity"):
        if one.required("type") == _CVSS:
            try:
                yield base_score(one.required("score"))
            except DocumentRefused as error:
                one.reading.refuse(one.at("score"), str(error))


def _url(record: Fields) -> str:
    """The advisory's own page, else the first of its references."""
    links = [(one.text("type"), one.text("url")) for one in _each(record, "references")]
    return next((url for kind, url in links if kind == "ADVISORY"), links[0][1] if links else "")


def _each(of: Fields, name: str) -> Iterator[Fields]:
    """The mappings of a list."""
    for n, item in enumerate(of.items(name)):
        path = (*of.at(name), n)
        yield Fields(of.reading, of.reading.mapping(item, path), path)
