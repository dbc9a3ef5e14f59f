"""The compatibility question: a plugin's own statements, and where it would run. Mirrors `Subject` in schemas/.

Versions and ranges are text as written; their meaning depends on the host's dialect, which the matrix declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Requirement:
    """A demand for another plugin or thing. An empty range means any version."""

    id: str
    range: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Provision:
    """Something that is offered under a version: an API, a schema, a runtime, a library inside a plugin."""

    id: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """One data migration. `reversible` None means that its vendor does not state it."""

    id: str = ""
    driver: str = ""
    entry: str = ""
    checksum: str = ""
    reversible: bool | None = None
    once: bool = False
    from_version: str = ""
    to_version: str = ""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The lifecycle of a release. Dates are milliseconds since the epoch, UTC."""

    status: str = ""
    effective_date: int | None = None
    sunset_at: int | None = None
    replacement: str = ""


NO_LIFECYCLE = Lifecycle()


@dataclass(frozen=True, slots=True)
class Defect:
    """A malformed part of a manifest file."""

    path: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The statements of a plugin. None and empty mean "not stated", which is never a pass by itself."""

    id: str
    version: str
    name: str = ""
    host_range: str | None = None
    min_host: str | None = None
    max_host: str | None = None
    requires: tuple[Requirement, ...] = ()
    conflicts: tuple[Requirement, ...] = ()
    replaces: tuple[str, ...] = ()
    runtimes: tuple[Requirement, ...] | None = None
    databases: tuple[Requirement, ...] = ()
    provides: tuple[Provision, ...] = ()
    consumes: tuple[Requirement, ...] = ()
    migrations: tuple[Migration, ...] = ()
    data_format: str = ""
    lifecycle: Lifecycle = NO_LIFECYCLE
    security_baseline: str = ""
    components: tuple[Provision, ...] = ()
    channel: str = ""
    defects: tuple[Defect, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict[str, str])
    host: str = ""
    """The kind of host that its ranges of host versions are about."""

    compatible_since: str = ""
    """The oldest version of itself whose saved data and settings it still reads."""


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """An installed plugin. Its requirements are empty if the deployer does not know them."""

    id: str
    version: str
    enabled: bool = True
    requires: tuple[Requirement, ...] = ()
    conflicts: tuple[Requirement, ...] = ()
    provides: tuple[Provision, ...] = ()
    consumes: tuple[Requirement, ...] = ()
    migrations: tuple[Migration, ...] = ()
    data_format: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """The platform that plugins are installed into, such as corex 1.9.0."""

    name: str
    version: str
    provides: tuple[Provision, ...] = ()
    security_baseline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The whole input of the compatibility question."""

    manifest: Manifest
    host: Host
    installed: tuple[InstalledPlugin, ...] = ()
    runtimes: tuple[Provision, ...] = ()
    database: Provision | None = None
    previous_version: str | None = None
    together: tuple[Manifest, ...] = ()
    """Further plugins that are installed in the same step."""
