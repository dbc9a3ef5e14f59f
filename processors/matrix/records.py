"""Converts the rows of a matrix to and from their Avro records.

A million rows share few hosts, versions and notes, so those texts are interned.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from types import MappingProxyType
from typing import Any

from processors.events.subject_record import (
    lifecycle_from_record,
    lifecycle_to_record,
    migration_to_record,
    migrations,
    provision_to_record,
    provisions,
    requirement_to_record,
    requirements,
)
from processors.matrix.document import NO_LABELS, Override, Release, Row, Rule


def rule_from_record(record: Row, source: str, revision: str) -> Rule:
    """The record must be complete, as our reader schema makes it."""
    lowest, highest = record["min_version"], record["max_version"]
    overrides = record["overrides"]
    return Rule(
        source,
        revision,
        record["row"],
        intern(record["host"]),
        intern(record["host_range"]),
        record["plugin"],
        None if lowest is None else intern(lowest),
        None if highest is None else intern(highest),
        intern(record["action"]),
        intern(record["notes"]),
        intern(record["docs"]),
        _frozen(record["labels"]),
        None if overrides is None else Override(overrides["what"], overrides["why"], overrides["until"]),
    )


def rule_to_record(rule: Rule) -> dict[str, Any]:
    """The exact inverse of `rule_from_record`."""
    record = rule._asdict()
    del record["source"], record["revision"]
    record["labels"] = dict(rule.labels)
    record["overrides"] = rule.overrides and rule.overrides._asdict()
    return record


def release_from_record(record: Row, source: str, revision: str) -> Release:
    """The record must be complete, as our reader schema makes it."""
    return Release(
        source,
        revision,
        record["row"],
        intern(record["plugin"]),
        intern(record["version"]),
        _frozen(record["hosts"]),
        requirements(record["requires"]),
        requirements(record["conflicts"]),
        requirements(record["runtimes"]),
        requirements(record["databases"]),
        provisions(record["provides"]),
        requirements(record["consumes"]),
        migrations(record["migrations"]),
        record["data_format"],
        lifecycle_from_record(record["lifecycle"]),
        record["security_baseline"],
    )


def release_to_record(release: Release) -> dict[str, Any]:
    """The exact inverse of `release_from_record`."""
    return {
        "row": release.row,
        "plugin": release.plugin,
        "version": release.version,
        "hosts": dict(release.hosts),
        "requires": [requirement_to_record(need) for need in release.requires],
        "conflicts": [requirement_to_record(conflict) for conflict in release.conflicts],
        "runtimes": [requirement_to_record(runtime) for runtime in release.runtimes],
        "databases": [requirement_to_record(database) for database in release.databases],
        "provides": [provision_to_record(provision) for provision in release.provides],
        "consumes": [requirement_to_record(need) for need in release.consumes],
        "migrations": [migration_to_record(migration) for migration in release.migrations],
        "data_format": release.data_format,
        "lifecycle": lifecycle_to_record(release.lifecycle),
        "security_baseline": release.security_baseline,
    }


def _frozen(texts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(texts) if texts else NO_LABELS
