"""The rows of a matrix file: rules and releases, each list read in one pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

from processors.documents.scalars import id_and_range
from processors.documents.yaml_text import Path
from processors.events.subject import NO_LIFECYCLE, Lifecycle, Migration, Provision, Requirement
from processors.matrix.document import NO_LABELS, ONLY_HOST, STRICTEST_FIRST, Override, Release, Rule
from processors.matrix.reading import Fields, Reading, found

_RULE: Final = {*Rule._fields} - {"source", "revision", "row"}
_HERE: Final = {"runtimes": "runtime", "databases": "database"}
"""Fields that have another name in a file than in the event."""
_RELEASE: Final = {_HERE.get(name, name) for name in Release._fields} - {"source", "revision", "row"} | {"host"}
_OVERRIDE: Final = frozenset(Override._fields)
_MIGRATION: Final = frozenset(field.name for field in fields(Migration))
_LIFECYCLE: Final = frozenset(field.name for field in fields(Lifecycle))


def read_rules(reading: Reading, rows: list[Any], path: Path) -> list[Rule]:
    """In order. Source and revision are left empty: they may depend on the digest of these rows."""
    return [_rule(reading.fields(row, (*path, n), _RULE), n) for n, row in enumerate(rows)]


def read_releases(reading: Reading, rows: list[Any], path: Path) -> list[Release]:
    return [_release(reading.fields(row, (*path, n), _RELEASE), n) for n, row in enumerate(rows)]


def _rule(row: Fields, number: int) -> Rule:
    return Rule(
        "",
        "",
        number,
        row.id("host"),
        row.text("host_range", longest=256),
        row.id("plugin"),
        row.optional("min_version"),
        row.optional("max_version"),
        row.word("action", STRICTEST_FIRST),
        row.text("notes"),
        row.text("docs"),
        _texts(row, "labels") if "labels" in row else NO_LABELS,
        _override(row) if row.given.get("overrides") is not None else None,
    )


def _override(row: Fields) -> Override:
    """All three fields are required: nobody loosens a demand without saying what, why and until when."""
    stated = row.reading.fields(row.given["overrides"], row.at("overrides"), _OVERRIDE)
    until = stated.instant("until")
    if until is None and stated.given.get("until") is None:
        row.reading.refuse(stated.at("until"), "expected the time at which the override ends, found nothing")
    return Override(stated.required("what"), stated.required("why"), until or 0)


def _release(row: Fields, number: int) -> Release:
    return Release(
        source="",
        revision="",
        row=number,
        plugin=row.id("plugin"),
        version=row.required("version"),
        hosts=_hosts(row),
        requires=_needs(row, "requires"),
        conflicts=_needs(row, "conflicts"),
        runtimes=_needs(row, "runtime"),
        databases=_needs(row, "database"),
        provides=tuple(Provision(need.id, need.range) for need in _needs(row, "provides")),
        consumes=_needs(row, "consumes"),
        migrations=_migrations(row),
        data_format=row.text("data_format", longest=256),
        lifecycle=_lifecycle(row),
        security_baseline=row.text("security_baseline", longest=256),
    )


def _hosts(row: Fields) -> Mapping[str, str]:
    if "host" not in row:
        return _texts(row, "hosts") if "hosts" in row else NO_LABELS
    if "hosts" in row:
        row.reading.refuse(row.at("host"), "expected either `host` or `hosts`, found both")
    return MappingProxyType({ONLY_HOST: row.text("host", longest=256)})


def _texts(row: Fields, name: str) -> Mapping[str, str]:
    given = Fields(row.reading, row.mapping(name), row.at(name))
    return MappingProxyType({key: given.text(key) for key in sorted(given.given)}) if given.given else NO_LABELS


def _needs(row: Fields, name: str) -> tuple[Requirement, ...]:
    """From a list of `id range` texts or mappings, or from one mapping of ids to ranges."""
    value = row.given.get(name)
    if not value:
        return ()
    if isinstance(value, dict):
        texts = _texts(row, name).items()
        return tuple(Requirement(_id(row.reading, id, row.at(name)), range) for id, range in texts)
    return tuple(_need(row.reading, item, (*row.path, name, n)) for n, item in enumerate(row.items(name)))


_NEED: Final = frozenset({"id", "range", "version", "optional"})
_OF_A_RANGE: Final = re.compile(r"[<>=~^!*,]")


def _need(reading: Reading, item: Any, path: Path) -> Requirement:
    if isinstance(item, dict):
        stated = reading.fields(item, path, _NEED)
        range = stated.text("range", longest=256) or stated.text("version", longest=256)
        return Requirement(_id(reading, stated.id("id"), (*path, "id")), range, stated.flag("optional") or False)
    text = reading.text(item, path, longest=600).strip()
    read = id_and_range(text)
    if read is None:
        if isinstance(item, str):
            reading.refuse(path, f"expected an id and a range such as `com.acme.crm >=1.2`, found {found(item)}")
        return Requirement("")
    id, range = read
    return Requirement(reading.id(id, path), range)


def _id(reading: Reading, id: str, path: Path) -> str:
    """A range written into an id would be lost, and the id would match no plugin."""
    if _OF_A_RANGE.search(id):
        reading.refuse(path, f"expected an id, and its range apart from it; found {found(id)}")
    return id


def _migrations(row: Fields) -> tuple[Migration, ...]:
    value = row.given.get("migrations")
    if isinstance(value, dict):
        return (_migration(row.reading, value, row.at("migrations")),)
    return tuple(
        _migration(row.reading, item, (*row.path, "migrations", n))
        for n, item in enumerate(row.items("migrations"))
    )


def _migration(reading: Reading, item: Any, path: Path) -> Migration:
    stated = reading.fields(item, path, _MIGRATION)
    return Migration(
        id=stated.text("id"),
        driver=stated.text("driver"),
        entry=stated.text("entry"),
        checksum=stated.text("checksum"),
        reversible=stated.flag("reversible"),
        once=stated.flag("once") or False,
        from_version=stated.text("from_version"),
        to_version=stated.text("to_version"),
    )


def _lifecycle(row: Fields) -> Lifecycle:
    value = row.given.get("lifecycle")
    if value is None:
        return NO_LIFECYCLE
    if not isinstance(value, dict):
        return Lifecycle(row.text("lifecycle", longest=256))
    stated = row.reading.fields(value, row.at("lifecycle"), _LIFECYCLE)
    return Lifecycle(
        stated.text("status", longest=256),
        stated.instant("effective_date"),
        stated.instant("sunset_at"),
        stated.text("replacement", longest=256),
    )
