"""The digest of a matrix: it depends on the content alone, and not on file format, part size or time.

The content is canonical JSON: sorted keys, no spaces, UTF-8, and without fields that have their default value, so
that a field added to the schema later does not change existing digests. The arrays of rules and releases are hashed
as streams.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any, Final, TypeVar

from processors.events.subject import NO_LIFECYCLE, Lifecycle, Migration, Provision, Requirement
from processors.matrix.document import Governance, Head, HostDeclaration, Release, Rule

_Row = TypeVar("_Row")
_CHUNK: Final = 1000


def _encoder(*, sort_keys: bool) -> Callable[[Any], str]:
    return json.JSONEncoder(
        ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"), check_circular=False, allow_nan=False
    ).encode


_encode: Final = _encoder(sort_keys=True)
_encode_ordered: Final = _encoder(sort_keys=False)


def digest_of(source: str, head: Head, rules: Sequence[Rule], releases: Sequence[Release]) -> str:
    """`sha256:<hex>` over three lines: `[source,settings]`, then the hex sha256 of the array of rules, and of that
    of releases."""
    title = _encode([source, settings_of(head)])
    lines = "\n".join((title, _stream(rules, canonical_rule), _stream(releases, canonical_release)))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def settings_text(head: Head) -> str:
    """The settings as canonical JSON, as part 1 of a refresh contains them."""
    return _encode(settings_of(head))


def settings_of(head: Head) -> dict[str, Any]:
    """What a source states beside its rows, with the field names of its file."""
    stated = {
        "hosts": {name: _host(host) for name, host in head.hosts.items()},
        "plugins": [scheme._asdict() for scheme in head.plugins],
        "undeclared": dict(head.undeclared),
        "weights": {dimension.lower(): weight for dimension, weight in head.weights.items()},
        "severity": {severity.lower(): percent for severity, percent in head.severity.items()},
        "governance": _governance(head.governance),
    }
    return {name: value for name, value in stated.items() if value}


def canonical_rule(rule: Rule) -> dict[str, Any]:
    """INVARIANT: the keys are written in sorted order, because sorting a million of them takes longer than
    everything else."""
    row: dict[str, Any] = {"action": rule.action}
    if rule.docs:
        row["docs"] = rule.docs
    row["host"] = rule.host
    if rule.host_range:
        row["host_range"] = rule.host_range
    if rule.labels:
        row["labels"] = dict(sorted(rule.labels.items()))
    if rule.max_version is not None:
        row["max_version"] = rule.max_version
    if rule.min_version is not None:
        row["min_version"] = rule.min_version
    if rule.notes:
        row["notes"] = rule.notes
    if rule.overrides is not None:
        row["overrides"] = dict(sorted(rule.overrides._asdict().items()))
    row["plugin"] = rule.plugin
    row["row"] = rule.row
    return row


def canonical_release(release: Release) -> dict[str, Any]:
    row: dict[str, Any] = {"row": release.row, "plugin": release.plugin, "version": release.version}
    for name in _LISTS:
        if items := getattr(release, name):
            row[name] = [_lean(item) for item in items]
    if release.hosts:
        row["hosts"] = dict(sorted(release.hosts.items()))
    if release.data_format:
        row["data_format"] = release.data_format
    if release.lifecycle != NO_LIFECYCLE:
        row["lifecycle"] = _lean(release.lifecycle)
    if release.security_baseline:
        row["security_baseline"] = release.security_baseline
    return dict(sorted(row.items()))


_LISTS: Final = ("requires", "conflicts", "runtimes", "databases", "provides", "consumes", "migrations")


@lru_cache(4096)
def _lean(part: Requirement | Provision | Migration | Lifecycle) -> Mapping[str, Any]:
    """The fields that differ from their defaults. The result is shared: callers must not change it."""
    named = ((field, getattr(part, field.name)) for field in sorted(fields(part), key=attrgetter("name")))
    return {field.name: value for field, value in named if value != field.default}


def _stream(rows: Iterable[_Row], canonical: Callable[[_Row], dict[str, Any]]) -> str:
    """The hex sha256 of the rows' JSON array, computed in chunks."""
    sha = hashlib.sha256(b"[")
    between = ""
    for chunk in _chunks(rows):
        sha.update((between + _encode_ordered([canonical(row) for row in chunk])[1:-1]).encode())
        between = ","
    sha.update(b"]")
    return sha.hexdigest()


def _chunks(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _host(host: HostDeclaration) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "dialect": host.dialect,
        "releases": list(host.releases),
        "components": list(host.components),
        "security_baseline": host.security_baseline,
    }
    return {name: value for name, value in stated.items() if value}


def _governance(governance: Governance) -> dict[str, Any]:
    durations = {
        name: f"{milliseconds}ms"
        for name in ("scan_interval", "max_report_age", "escalation_after")
        if (milliseconds := getattr(governance, name)) is not None
    }
    return durations | ({"alert_channel": governance.alert_channel} if governance.alert_channel else {})
