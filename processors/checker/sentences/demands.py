"""Who demands what, in a few words: `billing 1.0.0 needs crm >=2.0.0`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from processors.events.report import Cause, Demand, Finding
from processors.events.vocabulary import Code, DemandKind


class Demanded(NamedTuple):
    """Who demands something, with its version, and what it demands."""

    subject: str
    verb: str
    object: str

    def __str__(self) -> str:
        return " ".join(self)


Told: TypeAlias = Collection[tuple[str, str, str]]
"""Demands that the reader knows already, identified by `said_of`."""


def said_of(demand: Finding | Cause) -> tuple[str, str, str]:
    """Who demands what of whom, in whatever version."""
    return demand.subject, demand.object, demand.required.identity


def told_by(findings: Iterable[Finding]) -> Told:
    """The demands that a report's findings tell."""
    return {said_of(finding) for finding in findings if finding.blocks}


def demanded(finding: Finding, version: str) -> Demanded:
    """`version` is that of the finding's subject; it may be empty."""
    return _demanded(finding.code, finding.subject, version, finding.object, finding.required)


def demanded_by(cause: Cause) -> Demanded:
    """As `demanded`, for the cause of a change."""
    return _demanded(cause.code, cause.subject, cause.version, cause.object, cause.required)


def _demanded(code: Code, subject: str, version: str, object: str, required: Demand) -> Demanded:
    demand = required.constraint if required.kind is DemandKind.RANGE else ""
    return Demanded(f"{subject} {version}".strip(), _VERBS.get(code, "needs"), f"{object} {demand}".strip())


_VERBS = {
    Code.PLUGIN_CONFLICT: "cannot run beside",
    Code.CONFLICT_REVERSE: "cannot run beside",
    Code.DEPENDENCY_CYCLE: "needs itself through",
    Code.LIFECYCLE_SUNSET: "is no longer supported:",
    Code.MATRIX_BLOCK: "is blocked on",
    Code.SECURITY_ADVISORY: "is affected by",
    Code.MANIFEST_INVALID: "has no readable",
    Code.HOST_UNDECLARED: "is not known to run on any version of",
    Code.DATABASE_UNSUPPORTED: "does not run on",
    Code.API_BREAK: "uses",
    Code.SCHEMA_BREAK: "uses",
}
