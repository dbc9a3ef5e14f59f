"""What could be installed instead: the releases of a plugin, newest first, and the newer versions of a host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from processors.checker.case import Case, readable
from processors.checker.plans.effort import Effort
from processors.matrix.document import Release
from processors.matrix.identity import build_of
from processors.versions import Version

Alike: TypeAlias = tuple[Version, ...]
"""Releases that state the same, so that only their versions distinguish them; the preferred one first."""


@dataclass(slots=True)
class Catalogue:
    """Looked up once for one search. Everything that is looked at is charged to its effort."""

    case: Case
    effort: Effort
    _known: dict[str, tuple[Alike, ...]] = field(default_factory=dict[str, tuple[Alike, ...]])

    def releases(self, plugin: str) -> tuple[Alike, ...]:
        """Every release in groups of releases that are alike, the group with the preferred one first.

        Raises Exhausted.
        """
        known = self._known.get(plugin)
        if known is None:
            rows = self.case.matrix.releases(plugin)
            self.effort.spend(len(rows))
            known = self._known[plugin] = tuple(self._grouped(plugin, rows))
        return known

    def hosts(self) -> list[Version]:
        """The versions of the host above the present one: releases before pre-releases, then the smallest step
        first."""
        declared, present = self.case.matrix.host(self.case.subject.host.name), self.case.host_version
        if declared is None or present is None:
            return []
        read = (readable(text, self.case.dialect) for text in declared.releases)
        newer = sorted({version for version in read if version is not None and version > present})
        return sorted(newer, key=lambda version: version.is_prerelease)

    def _grouped(self, plugin: str, rows: Sequence[Release]) -> Iterable[Alike]:
        stated: dict[tuple[Version, str], list[Release]] = {}
        dialect = self.case.dialect_of(plugin)
        for row in rows:
            version = readable(row.version, dialect)
            if version is not None:
                stated.setdefault((version, build_of(version)), []).append(row)
        spelled = {version: rows for (version, _), rows in stated.items()}
        if len(spelled) < len(stated) or self._judged_by_version(plugin):
            return [(version,) for version in preferred(version for version, _ in stated)]
        groups: dict[Any, list[Version]] = {}
        for version in preferred(spelled):
            groups.setdefault(_statements(spelled[version]), []).append(version)
        return map(tuple, groups.values())

    def _judged_by_version(self, plugin: str) -> bool:
        """Whether rows, policies or migrations may treat two releases with equal statements differently."""
        case = self.case
        if case.matrix.rules(case.subject.host.name, plugin) or case.policies.about(plugin) is not None:
            return True
        return any(row.migrations or row.data_format for row in case.matrix.releases(plugin))


def preferred(versions: Iterable[Version]) -> list[Version]:
    """Releases before pre-releases, the newest first."""
    newest_first = sorted(versions, reverse=True)
    return sorted(newest_first, key=lambda version: version.is_prerelease)


def _statements(rows: Iterable[Release]) -> tuple[Any, ...]:
    """Everything that is stated of a release except its version and its position."""
    return tuple((row.source, tuple(row.hosts.items()), *row[6:]) for row in rows)
