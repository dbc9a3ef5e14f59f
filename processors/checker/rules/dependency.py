"""Is everything installed that the plugin needs, and does no other plugin lose what it needs?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from processors.checker.case import Case, readable
from processors.checker.demand_check import check_demand
from processors.checker.fit import Misfit, Side, misfit
from processors.checker.offers import Offers, offers_by_id
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Finding
from processors.events.subject import InstalledPlugin, Provision, Requirement
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Ground, Severity


def dependencies_are_met(case: Case) -> Iterator[Finding]:
    """Each plugin that this one needs is installed, enabled, and in an admitted version.

    An optional one may be missing or disabled; if it is enabled it must fit, because it is loaded. Another plugin
    that offers the id of a missing one stands in for it.
    """
    missing = any(need.id not in case.others for need, _ in case.requirements)
    offered = _offers(case, case.offered_by_others() if missing else ())
    for need, statement in case.requirements:
        plugin = case.others.get(need.id)
        if plugin is None and not need.optional:
            plugin = _stand_in(case, statement, need.id, offered.get(need.id))
        if plugin is None:
            if not need.optional and need.id != case.plugin:
                miss = Misfit(Side.TOO_OLD, Distance.MISSING, Severity.MISSING)
                yield _finding(case, Code.DEPENDENCY_MISSING, need, statement, None, miss, case.absence(need.id))
            continue
        if need.optional and not plugin.enabled:
            continue
        if not plugin.enabled:
            miss = Misfit(Side.TOO_OLD, Distance.NONE, Severity.MISSING)
            yield _finding(case, Code.DEPENDENCY_DISABLED, need, statement, plugin.version, miss, Ground.DISABLED)
        yield from _version_fits(case, need, statement, plugin)


def dependents_stay_whole(case: Case) -> Iterator[Finding]:
    """No installed plugin needs the version that the upgrade removes, or a plugin that this one replaces.

    The same holds for a plugin whose needs were met by the removed version or plugin as a stand-in. Blocks if the
    removed version was admitted, or if something optional that was not there before now is and does not fit. If
    nothing is taken away, it warns. A disabled plugin loses nothing.
    """
    before = _offers(case, case.offered_before() if case.needs else ())
    after = _offers(case, _offered_after(case) if before or case.replaced else ())
    for id, needs in case.needs.items():
        plugin = case.others[id]
        for need in needs if plugin.enabled else ():
            if need.id == case.plugin:
                yield from _dependent(case, plugin, need)
            elif need.id in case.replaced or (need.id in before and need.id not in case.others):
                yield from _orphan(case, plugin, need, before.get(need.id), after.get(need.id))


def _version_fits(
    case: Case, need: Requirement, statement: Statement, plugin: InstalledPlugin
) -> Iterator[Finding]:
    if not need.range.strip():
        return  # any version is enough, even an unreadable one
    match check_demand(case, statement, plugin, case.dialect_of(need.id, need.range, plugin.version)):
        case Finding() as unread:
            yield unread
        case Misfit() as miss:
            code = Code.DEPENDENCY_TOO_NEW if miss.side is Side.TOO_NEW else Code.DEPENDENCY_TOO_OLD
            yield _finding(case, code, need, statement, plugin.version, miss, Ground.OUTSIDE)
        case None:
            pass


def _stand_in(case: Case, statement: Statement, id: str, offers: Offers | None) -> InstalledPlugin | None:
    """The plugin as others offer it, in an admitted version if there is one; None if no plugin offers it."""
    if offers is None:
        return None
    try:
        return InstalledPlugin(id, offers.best(statement.range(case.default_dialect)).text)
    except Refused:
        return None  # reported by `ranges_can_be_read`


def _offers(case: Case, offered: Iterable[Provision]) -> Mapping[str, Offers]:
    return offers_by_id(offered, lambda text: readable(text, case.default_dialect))


def _offered_after(case: Case) -> Iterator[Provision]:
    yield from (Provision(id, version) for id, version in case.provides().items())
    yield from case.offered_by_others()


def _finding(
    case: Case,
    code: Code,
    need: Requirement,
    statement: Statement,
    found: str | None,
    miss: Misfit,
    ground: Ground,
) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.DEPENDENCY,
        effect=Effect.BLOCK,
        severity=miss.severity,
        subject=case.plugin,
        object=need.id,
        required=statement.demand(case.dialect_of(need.id, need.range)),
        found=found,
        ground=ground,
        distance=miss.distance,
        optional=need.optional,
    )


def _dependent(case: Case, plugin: InstalledPlugin, need: Requirement) -> Iterator[Finding]:
    statement = Statement(need.range, "installed", plugin.id)
    dialect = case.dialect_of(case.plugin, need.range)
    version = readable(case.manifest.version, dialect)
    if version is None:
        return
    try:
        range = statement.range(dialect)
    except Refused as error:
        yield unreadable(case, Dimension.DEPENDENCY, case.plugin, statement, error, plugin.id, dialect)
        return
    if range.is_empty():
        yield unreadable(case, Dimension.DEPENDENCY, case.plugin, statement, None, plugin.id, dialect)
    elif (miss := misfit(range, version)) is not None:
        before = case.previous_text
        taken_away = need.optional if before is None else _admitted(case, statement, before)
        yield _broken(case, plugin, need, statement, miss, Effect.BLOCK if taken_away else Effect.WARN)


def _orphan(
    case: Case, plugin: InstalledPlugin, need: Requirement, before: Offers | None, after: Offers | None
) -> Iterator[Finding]:
    """It needs a plugin that is removed, or one that the removed plugin stood in for, and there is no other
    stand-in."""
    statement = Statement(need.range, "installed", plugin.id)
    try:
        range = statement.range(case.default_dialect)
    except Refused as error:
        yield unreadable(case, Dimension.DEPENDENCY, need.id, statement, error, plugin.id, case.default_dialect)
        return
    if after is None or not (after.fit(range) or not need.range.strip()):
        served = need.id in case.replaced or (before is not None and before.may_fit(range))
        miss = Misfit(Side.TOO_OLD, Distance.MISSING, Severity.MISSING)
        blocks = served and not need.optional
        yield _broken(case, plugin, need, statement, miss, Effect.BLOCK if blocks else Effect.WARN)


def _admitted(case: Case, statement: Statement, text: str) -> bool:
    dialect = case.dialect_of(case.plugin, statement.text)
    version = readable(text, dialect)
    return version is not None and statement.range(dialect).admits(version)


def _broken(
    case: Case, plugin: InstalledPlugin, need: Requirement, statement: Statement, miss: Misfit, effect: Effect
) -> Finding:
    return Finding(
        code=Code.DEPENDENT_BROKEN,
        dimension=Dimension.DEPENDENCY,
        effect=effect,
        severity=miss.severity,
        subject=plugin.id,
        object=need.id,
        required=statement.demand(case.dialect_of(need.id, need.range)),
        found=case.manifest.version if need.id == case.plugin else None,
        ground=_loss(case, need.id),
        distance=miss.distance,
        optional=need.optional,
    )


def _loss(case: Case, id: str) -> Ground:
    """What the dependent would find: another version, another plugin, or no stand-in any more."""
    if id == case.plugin:
        return Ground.OUTSIDE
    return Ground.REPLACED if id in case.replaced else Ground.ABSENT
