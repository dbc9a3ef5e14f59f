"""Dependencies, conflicts and runtimes put in order, so that a plugin that is blocked passes where it is.

A change is only proposed together with all the others that are needed, and after each plugin that is changed was
judged beside what will then be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from processors.checker.case import Case
from processors.checker.search import Search, blocked
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Change, Finding
from processors.events.subject import InstalledPlugin, Manifest, Provision, Subject
from processors.events.vocabulary import Code, RemedyKind
from processors.versions import Dialect, Range, Version

MOST_CHANGES: Final = 8
MOST_CANDIDATES: Final = 4
"""Releases of a dependency that are tried, the newest ones that everybody admits."""

_REPAIRABLE: Final = frozenset(
    {
        Code.DEPENDENCY_MISSING,
        Code.DEPENDENCY_TOO_OLD,
        Code.DEPENDENCY_DISABLED,
        Code.PLUGIN_CONFLICT,
        Code.CONFLICT_REVERSE,
        Code.RUNTIME_TOO_OLD,
    }
)

_NOT_TOLD: Final = frozenset({Code.HOST_UNDECLARED, Code.RUNTIME_UNDECLARED, Code.MATRIX_UNLISTED})
"""What says nothing against enabling a plugin that is installed already: nobody has told whether it fits."""


class _Target(NamedTuple):
    """What has to be changed: a plugin or a runtime, which may be called alike."""

    is_runtime: bool
    id: str


def repairs(case: Case, findings: tuple[Finding, ...], search: Search) -> tuple[Change, ...] | None:
    """Changes after which nothing blocks the case any more; None where there are none that pass.

    One change a target. Raises Exhausted.
    """
    blocking = [finding for finding in findings if finding.blocks]
    if not all(finding.code in _REPAIRABLE for finding in blocking):
        return None
    targets: dict[_Target, list[Finding]] = {}
    for finding in blocking:
        targets.setdefault(_target(finding), []).append(finding)
    if not 0 < len(targets) <= MOST_CHANGES:
        return None
    changes: list[Change] = []
    for target, misses in targets.items():
        change = _repair(case, target.id, misses, search)
        if change is None:
            return None
        changes.append(change)
    trials = _trials(case.subject, changes, search)
    return tuple(changes) if all(_passes(trial, search) for trial in trials) else None


def _target(finding: Finding) -> _Target:
    """The other side of a conflict, whoever declares it; else what is missing or does not fit."""
    told_by_other = finding.code is Code.CONFLICT_REVERSE
    return _Target(finding.code is Code.RUNTIME_TOO_OLD, finding.subject if told_by_other else finding.object)


def _repair(case: Case, target: str, misses: Sequence[Finding], search: Search) -> Change | None:
    """One change against all that is wrong with one thing: a better version helps more than to remove or enable."""
    codes = {finding.code for finding in misses}
    if codes & {Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD}:
        return _dependency(case, target, search)
    if Code.RUNTIME_TOO_OLD in codes:
        return _runtime(target, misses, search)
    if Code.DEPENDENCY_DISABLED in codes:
        return Change(RemedyKind.ENABLE_DEPENDENCY, target, case.others[target].version)
    return _removal(case, target, search)


def _dependency(case: Case, name: str, search: Search) -> Change | None:
    """The newest release of a dependency that everybody who needs it admits, and that itself runs here."""
    kind = RemedyKind.UPGRADE_DEPENDENCY if name in case.others else RemedyKind.INSTALL_DEPENDENCY
    for version in islice(_admitted(case, name, search), MOST_CANDIDATES):
        alone = replace(case.subject, manifest=Manifest(id=name, version=version.text), previous_version=None)
        if not blocked(search.evaluate(alone)[1]):
            return Change(kind, name, version.text)
    return None


def _admitted(case: Case, name: str, search: Search) -> Iterator[Version]:
    """The releases that the plugin asked for and every installed plugin admit, the newest first."""
    search.spend(len(case.requirements))
    demands = [statement for need, statement in case.requirements if need.id == name]
    demands += [Statement(need, "installed", id) for id, need in _needing(case, name, search)]
    try:
        ranges = list({demand: demand.range(case.dialect_of(name)) for demand in demands}.values())
    except Refused:
        return
    for version in reversed(search.releases(name, case.version)):
        if _all_admit(ranges, version, search):
            yield version


def _needing(case: Case, name: str, search: Search, *, optional: bool = True) -> Iterator[tuple[str, str]]:
    """Who of the installed plugins needs this one, and in which range."""
    for id, needs in case.needs.items():
        search.spend(len(needs))
        yield from ((id, need.range) for need in needs if need.id == name and (optional or not need.optional))


def _all_admit(ranges: Iterable[Range], version: Version, search: Search) -> bool:
    for range in ranges:
        search.spend(1)
        if not range.admits(version):
            return False
    return True


def _runtime(name: str, misses: Sequence[Finding], search: Search) -> Change | None:
    """The lowest version that every blocking demand on this runtime names."""
    search.spend(len(misses))
    try:
        lowest = [
            Statement(f.required.constraint, "", "").range(Dialect(f.required.dialect)).lowest() for f in misses
        ]
    except Refused:
        return None
    named = [version for version in lowest if version is not None]
    return Change(RemedyKind.UPGRADE_RUNTIME, name, max(named).text) if named else None


def _removal(case: Case, foe: str, search: Search) -> Change | None:
    """The other side of a conflict goes, unless something that stays needs it."""
    needed = any(id != foe for id, _ in _needing(case, foe, search, optional=False))
    return None if needed else Change(RemedyKind.REMOVE_CONFLICT, foe, None)


class _Trial(NamedTuple):
    """A question that must not be answered with a block, but for what is `forgiven`."""

    subject: Subject
    forgiven: frozenset[Code] = frozenset()


def _passes(trial: _Trial, search: Search) -> bool:
    _, findings = search.evaluate(trial.subject)
    return not blocked(tuple(f for f in findings if f.code not in trial.forgiven))


def _trials(subject: Subject, changes: Sequence[Change], search: Search) -> Iterator[_Trial]:
    """The plugin asked for, and then each one that is changed, beside everything as it will be."""
    final = subject
    for change in changes:
        final = _changed(final, change)
    yield _Trial(final)
    for change in changes:
        before = tuple(plugin for plugin in subject.installed if plugin.id == change.target)
        match change.kind:
            case RemedyKind.INSTALL_DEPENDENCY | RemedyKind.UPGRADE_DEPENDENCY:
                manifest = Manifest(id=change.target, version=change.to or "")
                yield _Trial(_asking(final, manifest, before))
            case RemedyKind.ENABLE_DEPENDENCY:
                yield from (_Trial(_asking(final, _manifest_of(plugin), ()), _NOT_TOLD) for plugin in before)
            case _:
                pass
    gone = {change.target for change in changes if change.kind is RemedyKind.REMOVE_CONFLICT}
    if gone:
        yield _Trial(_replacing(final, [plugin for plugin in subject.installed if plugin.id in gone], search))


def _asking(final: Subject, manifest: Manifest, before: tuple[InstalledPlugin, ...]) -> Subject:
    """Whether a plugin that will be there may be: asked as if it alone were still as it was before."""
    others = tuple(plugin for plugin in final.installed if plugin.id != manifest.id)
    return replace(final, manifest=manifest, installed=(*others, *before), previous_version=None)


def _replacing(final: Subject, gone: Sequence[InstalledPlugin], search: Search) -> Subject:
    """As if the plugin asked for took their place: then whoever used what they offer must find it elsewhere."""
    manifest = replace(final.manifest, replaces=(*final.manifest.replaces, *(plugin.id for plugin in gone)))
    known = (with_offers(plugin, search.case) for plugin in gone)
    return replace(final, manifest=manifest, installed=(*final.installed, *known))


def with_offers(plugin: InstalledPlugin, case: Case) -> InstalledPlugin:
    """With what the catalogue knows of its APIs and schemas, where nothing is told of them."""
    rows = case.matrix.release(plugin.id, plugin.version, case.dialect_of(plugin.id, version=plugin.version))
    return replace(plugin, provides=plugin.provides or tuple(offer for row in rows for offer in row.provides))


def _manifest_of(plugin: InstalledPlugin) -> Manifest:
    """What an installed plugin would say of itself if it were asked for."""
    return Manifest(
        id=plugin.id,
        version=plugin.version,
        requires=plugin.requires,
        conflicts=plugin.conflicts,
        provides=plugin.provides,
        consumes=plugin.consumes,
    )


def _changed(subject: Subject, change: Change) -> Subject:
    others = tuple(p for p in subject.installed if p.id != change.target)
    match change.kind:
        case RemedyKind.INSTALL_DEPENDENCY | RemedyKind.UPGRADE_DEPENDENCY:
            return replace(subject, installed=(*others, InstalledPlugin(change.target, change.to or "")))
        case RemedyKind.ENABLE_DEPENDENCY:
            enabled = tuple(replace(p, enabled=True) for p in subject.installed if p.id == change.target)
            return replace(subject, installed=(*others, *enabled))
        case RemedyKind.REMOVE_CONFLICT:
            return replace(subject, installed=others)
        case _:
            kept = tuple(r for r in subject.runtimes if r.id != change.target)
            return replace(subject, runtimes=(*kept, Provision(change.target, change.to or "")))
