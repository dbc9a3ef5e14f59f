"""Converts a subject to and from its Avro record.

Small parts repeat from request to request (the same plugin is installed on thousands of hosts), so they are
interned: creating one costs a look-up, and equal parts are one object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from processors.events.subject import (
    NO_LIFECYCLE,
    Defect,
    Host,
    InstalledPlugin,
    Lifecycle,
    Manifest,
    Migration,
    Provision,
    Requirement,
    Subject,
)

Record = Mapping[str, Any]

_requirement = lru_cache(maxsize=65_536)(Requirement)
_provision = lru_cache(maxsize=65_536)(Provision)
_migration = lru_cache(maxsize=16_384)(Migration)
_installed = lru_cache(maxsize=65_536)(InstalledPlugin)

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_LIFECYCLE_RECORD = {"status": "", "effective_date": None, "sunset_at": None, "replacement": ""}


def subject_from_record(record: Record) -> Subject:
    """The typed subject of a decoded record. The record must be complete, as our reader schema makes it."""
    database = record["database"]
    return Subject(
        manifest=manifest_from_record(record["manifest"]),
        host=_host(record["host"]),
        installed=tuple([installed_from_record(i) for i in record["installed"]]),
        runtimes=provisions(record["runtimes"]),
        database=_provision(database["id"], database["version"]) if database else None,
        previous_version=record["previous_version"],
        together=tuple([manifest_from_record(m) for m in record["together"]]) if record["together"] else (),
    )


def manifest_from_record(record: Record) -> Manifest:
    runtimes = record["runtimes"]
    return Manifest(
        id=record["id"],
        version=record["version"],
        name=record["name"],
        host_range=record["host_range"],
        min_host=record["min_host"],
        max_host=record["max_host"],
        requires=requirements(record["requires"]),
        conflicts=requirements(record["conflicts"]),
        replaces=tuple(record["replaces"]),
        runtimes=None if runtimes is None else requirements(runtimes),
        databases=requirements(record["databases"]),
        provides=provisions(record["provides"]),
        consumes=requirements(record["consumes"]),
        migrations=migrations(record["migrations"]),
        data_format=record["data_format"],
        lifecycle=lifecycle_from_record(record["lifecycle"]),
        security_baseline=record["security_baseline"],
        components=provisions(record["components"]),
        channel=record["channel"],
        defects=tuple([Defect(d["path"], d["problem"]) for d in record["defects"]]),
        extra=MappingProxyType(record["extra"]) if record["extra"] else _NOTHING,
        host=record["host"],
        compatible_since=record["compatible_since"],
    )


def installed_from_record(record: Record) -> InstalledPlugin:
    if not (record["requires"] or record["conflicts"] or record["provides"] or record["consumes"]):
        ran = migrations(record["migrations"])
        return _installed(
            record["id"], record["version"], record["enabled"], (), (), (), (), ran, record["data_format"]
        )
    return _installed(
        record["id"],
        record["version"],
        record["enabled"],
        requirements(record["requires"]),
        requirements(record["conflicts"]),
        provisions(record["provides"]),
        requirements(record["consumes"]),
        migrations(record["migrations"]),
        record["data_format"],
    )


def requirements(records: Iterable[Record]) -> tuple[Requirement, ...]:
    return tuple([_requirement(r["id"], r["range"], r["optional"]) for r in records]) if records else ()


def provisions(records: Iterable[Record]) -> tuple[Provision, ...]:
    return tuple([_provision(p["id"], p["version"]) for p in records]) if records else ()


def migrations(records: Iterable[Record]) -> tuple[Migration, ...]:
    return tuple([_migration(**m) for m in records]) if records else ()


def lifecycle_from_record(record: Record) -> Lifecycle:
    return NO_LIFECYCLE if record == _NO_LIFECYCLE_RECORD else Lifecycle(**record)


def _host(record: Record) -> Host:
    return Host(record["name"], record["version"], provisions(record["provides"]), record["security_baseline"])


def subject_to_record(subject: Subject) -> dict[str, Any]:
    """The Avro record of a subject: the exact inverse of `subject_from_record`."""
    return {
        "manifest": manifest_to_record(subject.manifest),
        "host": {
            "name": subject.host.name,
            "version": subject.host.version,
            "provides": [provision_to_record(p) for p in subject.host.provides],
            "security_baseline": subject.host.security_baseline,
        },
        "installed": [installed_to_record(i) for i in subject.installed],
        "runtimes": [provision_to_record(p) for p in subject.runtimes],
        "database": provision_to_record(subject.database) if subject.database else None,
        "previous_version": subject.previous_version,
        "together": [manifest_to_record(m) for m in subject.together],
    }


def manifest_to_record(manifest: Manifest) -> dict[str, Any]:
    runtimes = manifest.runtimes
    return {
        "id": manifest.id,
        "version": manifest.version,
        "name": manifest.name,
        "host_range": manifest.host_range,
        "min_host": manifest.min_host,
        "max_host": manifest.max_host,
        "requires": [requirement_to_record(r) for r in manifest.requires],
        "conflicts": [requirement_to_record(r) for r in manifest.conflicts],
        "replaces": list(manifest.replaces),
        "runtimes": None if runtimes is None else [requirement_to_record(r) for r in runtimes],
        "databases": [requirement_to_record(r) for r in manifest.databases],
        "provides": [provision_to_record(p) for p in manifest.provides],
        "consumes": [requirement_to_record(r) for r in manifest.consumes],
        "migrations": [migration_to_record(m) for m in manifest.migrations],
        "data_format": manifest.data_format,
        "lifecycle": lifecycle_to_record(manifest.lifecycle),
        "security_baseline": manifest.security_baseline,
        "components": [provision_to_record(p) for p in manifest.components],
        "channel": manifest.channel,
        "defects": [{"path": d.path, "problem": d.problem} for d in manifest.defects],
        "extra": dict(manifest.extra),
        "host": manifest.host,
        "compatible_since": manifest.compatible_since,
    }


def installed_to_record(plugin: InstalledPlugin) -> dict[str, Any]:
    return {
        "id": plugin.id,
        "version": plugin.version,
        "enabled": plugin.enabled,
        "requires": [requirement_to_record(r) for r in plugin.requires],
        "conflicts": [requirement_to_record(r) for r in plugin.conflicts],
        "provides": [provision_to_record(p) for p in plugin.provides],
        "consumes": [requirement_to_record(r) for r in plugin.consumes],
        "migrations": [migration_to_record(m) for m in plugin.migrations],
        "data_format": plugin.data_format,
    }


def requirement_to_record(requirement: Requirement) -> dict[str, Any]:
    return {"id": requirement.id, "range": requirement.range, "optional": requirement.optional}


def provision_to_record(provision: Provision) -> dict[str, Any]:
    return {"id": provision.id, "version": provision.version}


def migration_to_record(migration: Migration) -> dict[str, Any]:
    return {
        "id": migration.id,
        "driver": migration.driver,
        "entry": migration.entry,
        "checksum": migration.checksum,
        "reversible": migration.reversible,
        "once": migration.once,
        "from_version": migration.from_version,
        "to_version": migration.to_version,
    }


def lifecycle_to_record(lifecycle: Lifecycle) -> dict[str, Any]:
    return {
        "status": lifecycle.status,
        "effective_date": lifecycle.effective_date,
        "sunset_at": lifecycle.sunset_at,
        "replacement": lifecycle.replacement,
    }
