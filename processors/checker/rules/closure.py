"""Do the needed plugins work themselves? Every needed plugin, direct or indirect, must have what it needs.

A plugin that was broken before, and that nothing in the closure needs, does not affect the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from processors.checker.case import Case, readable
from processors.checker.demand_check import check_demand
from processors.checker.fit import Misfit, Side
from processors.checker.offers import Offers, offers_by_id
from processors.checker.rules.conflict import is_meant
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.checker.ways import Way
from processors.errors import Refused
from processors.events.report import Finding
from processors.events.subject import InstalledPlugin, Provision, Requirement
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Ground, Severity


class _Member(NamedTuple):
    """An installed plugin that is needed, and the way to it from the requested plugin."""

    plugin: InstalledPlugin
    way: Way


def what_is_needed_works(case: Case) -> Iterator[Finding]:
    """Every plugin of the closure finds what it needs, enabled and in an admitted version, and without a
    conflict."""
    if not (case.needs or case.excludes):
        return
    there = _There(case)
    for member in _closure(case):
        for need in case.needs.get(member.plugin.id, ()):
            for finding in _need(there, member.plugin, need):
                yield replace(finding, path=member.way.path())
        for finding in _conflicts(there, member.plugin):
            yield replace(finding, path=member.way.path())


class _There:
    """What is installed, indexed when it is first asked for: for most requests nothing is."""

    def __init__(self, case: Case) -> None:
        self.case = case

    @cached_property
    def offers(self) -> Mapping[str, Offers]:
        """Every version on offer, the requested plugin's included, by the id under which it is offered."""
        own = (Provision(id, version) for id, version in self.case.provides().items())
        return offers_by_id(
            (*own, *self.case.offered_by_others()), lambda text: readable(text, self.case.default_dialect)
        )

    @cached_property
    def declaring(self) -> Mapping[str, Sequence[tuple[InstalledPlugin, Requirement]]]:
        """The conflicts that enabled plugins declare, by the id of the other side."""
        found: dict[str, list[tuple[InstalledPlugin, Requirement]]] = {}
        for id, excludes in self.case.excludes.items():
            owner = self.case.others[id]
            for conflict in excludes if owner.enabled else ():
                found.setdefault(conflict.id, []).append((owner, conflict))
        return found


def _closure(case: Case) -> Iterator[_Member]:
    """Breadth first, so that the path to each is the shortest.

    Optional plugins are not members: they may be absent.
    """
    start = Way.begin(case.plugin)
    waiting = [(start, need.id) for need, _ in case.requirements if not need.optional]
    stand_ins: Mapping[str, list[InstalledPlugin]] | None = None
    seen, served = {case.plugin}, set[str]()
    for way, id in waiting:
        if id in served:
            continue
        if id not in case.others and id not in seen and stand_ins is None:
            stand_ins = _stand_ins(case)
        if id != case.plugin:
            served.add(id)
        serving = [case.others[id]] if id in case.others else (stand_ins or {}).get(id, [])
        for plugin in serving:
            if plugin.id not in seen:
                seen.add(plugin.id)
                further = way.to(plugin.id)
                yield _Member(plugin, further)
                needs = (need.id for need in case.needs.get(plugin.id, ()) if not need.optional)
                waiting.extend((further, need) for need in needs if need not in served)


def _stand_ins(case: Case) -> Mapping[str, list[InstalledPlugin]]:
    found: dict[str, list[InstalledPlugin]] = {}
    for plugin in case.others.values():
        for offer in case.offered_by(plugin) if plugin.enabled else ():
            found.setdefault(offer.id, []).append(plugin)
    return found


def _need(installed: _There, plugin: InstalledPlugin, need: Requirement) -> Iterator[Finding]:
    case = installed.case
    if need.id == case.plugin:
        return  # a cycle, or covered by `dependents_stay_whole`
    there = case.others.get(need.id)
    if there is None:
        if not need.optional and need.id not in case.replaced and not _is_offered(installed, need):
            yield _finding(case, Code.DEPENDENCY_MISSING, plugin, need, None, case.absence(need.id))
        return
    if not there.enabled:
        if not need.optional:
            yield _finding(case, Code.DEPENDENCY_DISABLED, plugin, need, there.version, Ground.DISABLED)
        else:
            return
    yield from _version(case, plugin, need, there)


def _is_offered(installed: _There, need: Requirement) -> bool:
    """Whether another plugin, possibly the requested one, stands in for it in an admitted version."""
    offers = installed.offers.get(need.id)
    if offers is None or not need.range.strip():
        return offers is not None
    try:
        range = Statement(need.range, "", "").range(installed.case.default_dialect)
    except Refused:
        return False
    return offers.fit(range)


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


def _conflicts(installed: _There, plugin: InstalledPlugin) -> Iterator[Finding]:
    """Conflicts with enabled plugins, whichever of the two declares them."""
    case = installed.case
    for conflict in case.excludes.get(plugin.id, ()):
        there = case.others.get(conflict.id)
        if there is not None and there.enabled:
            yield from _clash(case, Code.PLUGIN_CONFLICT, plugin, conflict, there)
    for other, conflict in installed.declaring.get(plugin.id, ()):
        if other.id != plugin.id:
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
