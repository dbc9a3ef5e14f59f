"""Do the needed plugins work themselves? Every needed plugin, direct or indirect, must have what it needs.

A plugin that was broken before, and that nothing in the closure needs, does not affect the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from processors.checker.case import Case, readable
from processors.checker.demand_check import check_demand
from processors.checker.fit import Misfit, Side
from processors.checker.rules.conflict import is_meant
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Finding
from processors.events.subject import InstalledPlugin, Provision, Requirement
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Ground, Severity


class _Member(NamedTuple):
    """An installed plugin that is needed, and the path to it from the requested plugin, both ends included."""

    plugin: InstalledPlugin
    path: tuple[str, ...]


def what_is_needed_works(case: Case) -> Iterator[Finding]:
    """Every plugin of the closure finds what it needs, enabled and in an admitted version, and without a
    conflict."""
    if not (case.needs or case.excludes):
        return
    for member in _closure(case):
        for need in case.needs.get(member.plugin.id, ()):
            for finding in _need(case, member.plugin, need):
                yield replace(finding, path=member.path)
        for finding in _conflicts(case, member.plugin):
            yield replace(finding, path=member.path)


def _closure(case: Case) -> Iterator[_Member]:
    """Breadth first, so that the path to each is the shortest.

    Optional plugins are not members: they may be absent.
    """
    waiting: list[tuple[tuple[str, ...], str]] = [
        ((case.plugin,), need.id) for need, _ in case.requirements if not need.optional
    ]
    stand_ins: Mapping[str, list[InstalledPlugin]] | None = None
    seen = {case.plugin}
    for path, id in waiting:
        if id not in case.others and id not in seen and stand_ins is None:
            stand_ins = _stand_ins(case)
        serving = [case.others[id]] if id in case.others else (stand_ins or {}).get(id, [])
        for plugin in serving:
            if plugin.id not in seen:
                seen.add(plugin.id)
                way = (*path, plugin.id)
                yield _Member(plugin, way)
                waiting.extend((way, n.id) for n in case.needs.get(plugin.id, ()) if not n.optional)


def _stand_ins(case: Case) -> Mapping[str, list[InstalledPlugin]]:
    found: dict[str, list[InstalledPlugin]] = {}
    for plugin in case.others.values():
        for offer in case.offered_by(plugin) if plugin.enabled else ():
            found.setdefault(offer.id, []).append(plugin)
    return found


def _need(case: Case, plugin: InstalledPlugin, need: Requirement) -> Iterator[Finding]:
    if need.id == case.plugin:
        return  # a cycle, or covered by `dependents_stay_whole`
    there = case.others.get(need.id)
    if there is None:
        if not need.optional and need.id not in case.replaced and not _is_offered(case, need):
            yield _finding(case, Code.DEPENDENCY_MISSING, plugin, need, None, case.absence(need.id))
        return
    if not there.enabled:
        if not need.optional:
            yield _finding(case, Code.DEPENDENCY_DISABLED, plugin, need, there.version, Ground.DISABLED)
        else:
            return
    yield from _version(case, plugin, need, there)


def _is_offered(case: Case, need: Requirement) -> bool:
    """Whether another plugin, possibly the requested one, stands in for it in an admitted version."""
    offers = (Provision(id, version) for id, version in case.provides().items())
    versions = [offer.version for offer in (*offers, *case.offered_by_others()) if offer.id == need.id]
    if not versions or not need.range.strip():
        return bool(versions)
    try:
        range = Statement(need.range, "", "").range(case.default_dialect)
    except Refused:
        return False
    read = (readable(version, case.default_dialect) for version in versions)
    return any(version is not None and range.admits(version) for version in read)


def _version(case: Case, plugin: InstalledPlugin, need: Requirement, there: InstalledPlugin) -> Iterator[Finding]:
    if not need.range.strip():
        return
    statement = Statement(need.range, "installed", plugin.id)
    match check_demand(case, statement, there, case.dialect_of(need.id, need.range), plugin.id):
        case Finding() as unread:
            yield unread
        case Misfit() as miss:
            code = Code.DEPENDENCY_TOO_NEW if miss.side is Side.TOO_NEW else Code.DEPENDENCY_TOO_OLD
            found = _finding(case, code, plugin, need, there.version, Ground.OUTSIDE)
            yield replace(found, severity=miss.severity, distance=miss.distance)
        case None:
            pass


def _conflicts(case: Case, plugin: InstalledPlugin) -> Iterator[Finding]:
    """Conflicts with enabled plugins, whichever of the two declares them."""
    for conflict in case.excludes.get(plugin.id, ()):
        there = case.others.get(conflict.id)
        if there is not None and there.enabled:
            yield from _clash(case, Code.PLUGIN_CONFLICT, plugin, conflict, there)
    for id, excludes in case.excludes.items():
        other = case.others[id]
        for conflict in excludes if other.enabled and id != plugin.id else ():
            if conflict.id == plugin.id:
                yield from _clash(case, Code.CONFLICT_REVERSE, other, conflict, plugin)


def _clash(
    case: Case, code: Code, owner: InstalledPlugin, conflict: Requirement, met: InstalledPlugin
) -> Iterator[Finding]:
    statement = Statement(conflict.range, "installed", owner.id)
    dialect = case.dialect_of(met.id, conflict.range)
    try:
        range = statement.range(dialect)
    except Refused as error:
        yield unreadable(case, Dimension.CONFLICT, met.id, statement, error, owner.id, dialect)
        return
    if not range.is_empty() and is_meant(range, readable(met.version, dialect)):
        yield Finding(
            code=code,
            dimension=Dimension.CONFLICT,
            effect=Effect.BLOCK,
            severity=Severity.MAJOR,
            subject=owner.id,
            object=met.id,
            required=statement.demand(dialect),
            found=met.version,
        )


def _finding(
    case: Case, code: Code, plugin: InstalledPlugin, need: Requirement, found: str | None, ground: Ground
) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.DEPENDENCY,
        effect=Effect.BLOCK,
        severity=Severity.MISSING,
        subject=plugin.id,
        object=need.id,
        required=Statement(need.range, "installed", plugin.id).demand(case.dialect_of(need.id, need.range)),
        found=found,
        ground=ground,
        distance=Distance.MISSING if found is None else Distance.NONE,
        optional=need.optional,
    )
