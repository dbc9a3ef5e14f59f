"""The ids of findings in engines before 0.2, which hashed the sentences of some demands.

An exception that was approved under such an id stays valid: the workflow accepts it for the finding under its
present id. The phrases below are frozen; nothing else may use them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from processors.events.report import ALTERNATIVES, finding_id
from processors.events.vocabulary import DemandKind


def earlier_ids(code: str, subject: str, object: str, kind: str, constraint: str) -> tuple[str, ...]:
    """Ids of the same finding in reports of earlier engines; none where the id has not changed.

    Findings that no exception covers are left out: nobody can have approved them.
    """
    phrase = _PHRASES.get(kind)
    return () if phrase is None else (finding_id(code, subject, object, phrase(object, constraint)),)


def _row(_object: str, constraint: str) -> str:
    plugin, host = (side.partition(" ") for side in constraint.split(" @ ", 1))
    return f"{plugin[0]} {plugin[2] or 'any version'} on {host[0]} {host[2] or 'any version'}"


def _alternatives(_object: str, constraint: str) -> str:
    return constraint.replace(ALTERNATIVES, " or ")


def _always(phrase: str) -> Callable[[str, str], str]:
    return lambda _object, _constraint: phrase


_PHRASES: Final[Mapping[str, Callable[[str, str], str]]] = {
    DemandKind.ONE_OF: _alternatives,
    DemandKind.DRIVER: lambda _, driver: f"{driver} for its migrations",
    DemandKind.STATED_HOST_RANGE: _always("a stated range of host versions"),
    DemandKind.STATED_RUNTIME: _always("a stated runtime and version"),
    DemandKind.NO_CYCLE: _always("no plugin needs itself"),
    DemandKind.MATRIX_LOADED: _always("a compatibility matrix"),
    DemandKind.MATRIX_FRESH: _always("a refresh before its time is over"),
    DemandKind.RELEASE_LISTED: _always("a row about this release"),
    DemandKind.HOST_KNOWN: _always("a declaration of this host, or a row about it"),
    DemandKind.MATRIX_ROW: _row,
    DemandKind.WAY_BACK: _always("a way back over the migrations that have run"),
    DemandKind.REVERSIBLE: _always("a migration that can be undone"),
    DemandKind.CHECKSUM: lambda _, checksum: f"checksum {checksum}",
    DemandKind.MIGRATION_RUN: lambda migration, release: f"migration `{migration}` of {release} to have run",
    DemandKind.MIGRATION_FROM: lambda migration, at: f"data at version {at} for migration `{migration}`",
    DemandKind.DATA_FORMAT: lambda _, format: f"format {format}",
    DemandKind.NOT_OLDER: lambda _, version: f"{version} or newer",
    DemandKind.SUPPORTED: _always("a release that is still supported"),
    DemandKind.BASELINE: lambda _, baseline: baseline,
    DemandKind.FIXED_IN: _alternatives,
    DemandKind.WITHOUT: lambda advisory, component: f"{component} without {advisory}",
}
