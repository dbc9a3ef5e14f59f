"""One source's matrix as typed values: what it declares about hosts, its rules, and the releases that it knows.

Versions and ranges stay text, because their meaning depends on the dialect of the host, and a million rows must
load in seconds. `lint` parses all of them; `weigh` parses the few that concern a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from processors.events.subject import NO_LIFECYCLE, Lifecycle, Migration, Provision, Requirement
from processors.events.vocabulary import Dimension, Severity

Policy: TypeAlias = Literal["block", "warn", "allow"]
"""What a rule does, or what happens if something is not declared."""

STRICTEST_FIRST: Final[tuple[Policy, ...]] = ("block", "warn", "allow")

GOVERNANCE: Final = "governance"
"""The one source that may loosen what others demand."""

ONLY_HOST: Final = "*"
"""Stands for the only host of a source in `Release.hosts`."""

DAY: Final = 86_400_000
"""Milliseconds."""

NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


def strictness(action: str) -> int:
    """Greater is stricter. An unknown word counts as a block: what cannot be judged never passes."""
    return _STRICTNESS.get(action, _STRICTNESS["block"])


_STRICTNESS: Final = {policy: rank for rank, policy in enumerate(reversed(STRICTEST_FIRST))}


@dataclass(frozen=True, slots=True)
class HostDeclaration:
    """A host as a source knows it. `releases` are the versions that remediation may propose."""

    name: str
    dialect: str = "npm"
    releases: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    security_baseline: str = ""


class PluginScheme(NamedTuple):
    """The dialect of the versions of the plugins that match; `*` matches any characters."""

    match: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Undeclared:
    """What happens if a plugin states no host range or no runtime, or if no row mentions it."""

    host: Policy = "block"
    runtime: Policy = "warn"
    matrix: Policy = "warn"


@dataclass(frozen=True, slots=True)
class Governance:
    """How the matrix itself is monitored. Durations are milliseconds; None and empty mean "not stated"."""

    scan_interval: int | None = None
    max_report_age: int | None = None
    alert_channel: str = ""
    escalation_after: int | None = None


class Override(NamedTuple):
    """Loosens demands of others until an instant (milliseconds since the epoch, UTC).

    `what` is a finding code, a source (`vendor`), or one rule of a source (`vendor#3`).
    """

    what: str
    why: str
    until: int


class Rule(NamedTuple):
    """A rule about a plugin, or a glob of them, on a host. Bounds are inclusive; None and "" are unbounded."""

    source: str
    revision: str
    row: int
    host: str
    host_range: str
    plugin: str
    min_version: str | None
    max_version: str | None
    action: str
    notes: str = ""
    docs: str = ""
    labels: Mapping[str, str] = NO_LABELS
    overrides: Override | None = None


class Release(NamedTuple):
    """What a source knows of one release of a plugin. `hosts` maps a host's name, or `*`, to a version range."""

    source: str
    revision: str
    row: int
    plugin: str
    version: str
    hosts: Mapping[str, str] = NO_LABELS
    requires: tuple[Requirement, ...] = ()
    conflicts: tuple[Requirement, ...] = ()
    runtimes: tuple[Requirement, ...] = ()
    databases: tuple[Requirement, ...] = ()
    provides: tuple[Provision, ...] = ()
    consumes: tuple[Requirement, ...] = ()
    migrations: tuple[Migration, ...] = ()
    data_format: str = ""
    lifecycle: Lifecycle = NO_LIFECYCLE
    security_baseline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Everything in a source's matrix except its rows.

    Holds only what the source states; merging adds the defaults.
    """

    hosts: Mapping[str, HostDeclaration] = field(default_factory=dict[str, HostDeclaration])
    plugins: tuple[PluginScheme, ...] = ()
    undeclared: Mapping[str, Policy] = field(default_factory=dict[str, Policy])
    weights: Mapping[Dimension, int] = field(default_factory=dict[Dimension, int])
    severity: Mapping[Severity, int] = field(default_factory=dict[Severity, int])
    governance: Governance = Governance()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixDocument(Head):
    """One source's whole matrix. `published_at` None means that publishing sets it.

    `digest` covers source, settings and rows, but not times, revision, or the layout of the file.
    """

    source: str
    revision: str
    digest: str
    published_at: int | None = None
    expires_after: int = DAY
    rules: tuple[Rule, ...] = ()
    releases: tuple[Release, ...] = ()

    @property
    def rows(self) -> int:
        return len(self.rules) + len(self.releases)


DEFAULT_WEIGHTS: Final[Mapping[Dimension, int]] = MappingProxyType(
    {
        Dimension.HOST: 75,
        Dimension.CONFLICT: 75,
        Dimension.SECURITY: 80,
        Dimension.MIGRATION: 70,
        Dimension.MATRIX: 70,
        Dimension.RUNTIME: 65,
        Dimension.DEPENDENCY: 60,
        Dimension.API_SCHEMA: 60,
        Dimension.LIFECYCLE: 30,
    }
)
"""The percentage of the whole score that each dimension can contribute."""

DEFAULT_SEVERITIES: Final[Mapping[Severity, int]] = MappingProxyType(
    {
        Severity.MAJOR: 100,
        Severity.MISSING: 100,
        Severity.IRREVERSIBLE: 100,
        Severity.UNKNOWN: 70,
        Severity.MINOR: 60,
        Severity.STALE: 60,
        Severity.PRERELEASE: 40,
        Severity.PATCH: 30,
    }
)
"""The percentage of its dimension's weight that a finding of that severity contributes."""

Row: TypeAlias = Mapping[str, Any]
"""A rule or release as the fields of its Avro record."""
