"""Does the plugin, directly or indirectly, need itself? Then neither it nor what it needs could start first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from processors.checker.case import Case, readable
from processors.checker.statements import Statement
from processors.checker.ways import Way
from processors.errors import Refused
from processors.events.report import Demand, Finding
from processors.events.subject import Requirement
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Severity

MOST_RELEASES: Final = 2_000
"""The most catalogue rows that are read for what is not installed.

It is missing, so the request is blocked anyway.
"""


class _Need(NamedTuple):
    """Something that is needed, and the direct need of the plugin that leads to it."""

    id: str
    range: str
    first: str
    way: Way


def dependencies_make_no_cycle(case: Case) -> Iterator[Finding]:
    """Nothing that this plugin needs, directly or indirectly, needs this plugin again.

    A plugin that needs itself is the shortest cycle. The needs of a plugin that is not installed are those of
    whatever stands in for it, else those that every installable release has.
    """
    needs = sorted((need for need, _ in case.requirements if not need.optional), key=_id)
    if any(need.id == case.plugin for need in needs):
        yield _cycle(case, case.plugin, case.plugin, (case.plugin,))
    if not needs or not _is_needed(case):
        return
    start = Way.begin(case.plugin)
    waiting = [_Need(need.id, need.range, need.id, start.to(need.id)) for need in reversed(needs)]
    seen: set[str] = {case.plugin}
    catalogue = _Catalogue(case)
    while waiting:
        at = waiting.pop()
        if at.id in seen:
            continue
        seen.add(at.id)
        further = sorted(catalogue.needs_of(at), key=_id)
        if any(need.id == case.plugin for need in further):
            yield _cycle(case, at.first, at.id, at.way.path())
            return
        waiting += (_Need(n.id, n.range, at.first, at.way.to(n.id)) for n in reversed(further) if n.id not in seen)


def _is_needed(case: Case) -> bool:
    """Whether anything needs the plugin at all; for most plugins nothing does."""
    if case.matrix.is_needed(case.plugin):
        return True
    return any(need.id == case.plugin for needs in case.needs.values() for need in needs)


class _Catalogue:
    """What plugins need, installed or not. Reads a bounded number of releases."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._left = MOST_RELEASES
        self._stand_ins: Mapping[str, Sequence[str]] | None = None

    def needs_of(self, at: _Need) -> list[Requirement]:
        case = self._case
        if at.id in case.others:
            return _firm(case.needs.get(at.id, ()))
        if self._stand_ins is None:
            self._stand_ins = _stand_ins(case)
        serving = self._stand_ins.get(at.id)
        if serving is not None:
            return [Requirement(id) for id in serving]
        return self._of_every_release(at)

    def _of_every_release(self, at: _Need) -> list[Requirement]:
        """The needs that all admitted releases share, each with its range if they agree on it."""
        rows = self._case.trusted(self._case.matrix.releases(at.id))
        self._left -= len(rows)
        if self._left < 0 or not rows:
            return []
        dialect = self._case.dialect_of(at.id, at.range)
        try:
            range = Statement(at.range, "", "").range(dialect)
        except Refused:
            return []
        stated: dict[str, dict[str, str]] = {}
        for row in rows:
            version = readable(row.version, dialect)
            if version is not None and range.admits(version):
                stated.setdefault(row.version, {}).update({n.id: n.range for n in _firm(row.requires)})
        if not stated:
            return []
        first, *others = stated.values()
        common = [id for id in first if all(id in needs for needs in others)]
        return [Requirement(id, _agreed(needs[id] for needs in stated.values())) for id in common]


def _agreed(ranges: Iterable[str]) -> str:
    different = set(ranges)
    return different.pop() if len(different) == 1 else ""


def _firm(needs: Iterable[Requirement]) -> list[Requirement]:
    return [need for need in needs if not need.optional]


def _stand_ins(case: Case) -> Mapping[str, Sequence[str]]:
    """The enabled plugins that offer an id, by that id."""
    found: dict[str, list[str]] = {}
    for plugin in case.others.values():
        for offer in case.offered_by(plugin) if plugin.enabled else ():
            found.setdefault(offer.id, []).append(plugin.id)
    return found


def _id(need: Requirement) -> str:
    return need.id


def _cycle(case: Case, first: str, last: str, path: tuple[str, ...]) -> Finding:
    return Finding(
        code=Code.DEPENDENCY_CYCLE,
        dimension=Dimension.DEPENDENCY,
        effect=Effect.BLOCK,
        severity=Severity.MAJOR,
        subject=case.plugin,
        object=first,
        required=Demand(constraint="", kind=DemandKind.NO_CYCLE, stated_by="guard"),
        found=last,
        path=path,
        distance=Distance.NONE,
    )
