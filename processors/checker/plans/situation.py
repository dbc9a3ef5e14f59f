"""An installation as it would be after some changes, and the questions that have to be asked about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import reduce
from typing import Final

from processors.checker.brought import with_plain_ids
from processors.checker.case import Case
from processors.checker.together import installed_as
from processors.events.report import Change, Remediation
from processors.events.subject import InstalledPlugin, Manifest, Provision, Subject
from processors.events.vocabulary import Code, RemedyKind
from processors.versions import Dialect

NOT_TOLD: Final = frozenset({Code.HOST_UNDECLARED, Code.RUNTIME_UNDECLARED, Code.MATRIX_UNLISTED})
"""What says nothing against a plugin that is installed already: nobody has told whether it fits."""

OTHER_VERSIONS: Final = frozenset(
    {RemedyKind.INSTALL_DEPENDENCY, RemedyKind.UPGRADE_DEPENDENCY, RemedyKind.DOWNGRADE_DEPENDENCY}
)
"""Changes of a plugin other than the one asked for to a version."""


def changed(subject: Subject, change: Change, case: Case) -> Subject:
    """The question after one change. `case` is the question as it was asked."""
    return (
        _succeeded(subject, change, case) if change.kind is RemedyKind.REPLACE_PLUGIN else _moved(subject, change)
    )


def can_be_asked_after(plan: Remediation) -> bool:
    """Whether `after` can tell: where the plugin is replaced, only the matrix knows what its successor replaces."""
    return all(change.kind is not RemedyKind.REPLACE_PLUGIN for change in plan.changes)


def after(subject: Subject, plan: Remediation) -> Subject:
    """The question as it would be asked once a plan is carried out; the guard then says what becomes of it.

    Of another release of the plugin nothing but its version is stated: the matrix may know more.
    """
    return reduce(_moved, plan.changes, with_plain_ids(subject))  # as the guard read it when it made the plan


def _moved(subject: Subject, change: Change) -> Subject:
    """After a change of anything but the plugin that is asked for into another one."""
    others = tuple(plugin for plugin in subject.installed if plugin.id != change.target)
    here = tuple(plugin for plugin in subject.installed if plugin.id == change.target)
    match change.kind:
        case RemedyKind.INSTALL_VERSION:
            return replace(subject, manifest=Manifest(id=change.target, version=change.to or ""))
        case RemedyKind.UPGRADE_HOST:
            return replace(subject, host=replace(subject.host, version=change.to or ""))
        case RemedyKind.UPGRADE_RUNTIME:
            kept = tuple(runtime for runtime in subject.runtimes if runtime.id != change.target)
            return replace(subject, runtimes=(*kept, Provision(change.target, change.to or "")))
        case RemedyKind.REMOVE_CONFLICT:
            return replace(subject, installed=others)
        case RemedyKind.ENABLE_DEPENDENCY:
            return replace(subject, installed=(*others, *(replace(plugin, enabled=True) for plugin in here)))
        case _:
            enabled = all(plugin.enabled for plugin in here)
            return replace(
                subject, installed=(*others, InstalledPlugin(change.target, change.to or "", enabled=enabled))
            )


def _succeeded(subject: Subject, change: Change, case: Case) -> Subject:
    """The successor takes the place of the plugin asked for, which is there until then if an older version is."""
    manifest = Manifest(id=change.target, version=change.to or "", replaces=(case.plugin,))
    others = tuple(plugin for plugin in subject.installed if plugin.id not in (case.plugin, change.target))
    older = (with_offers(plugin, case) for plugin in _older(case))
    return replace(subject, manifest=manifest, installed=(*others, *older), previous_version=None)


def _older(case: Case) -> tuple[InstalledPlugin, ...]:
    """The version of the plugin that is there now, also where only `previous_version` tells of it."""
    if case.previous is not None:
        return (case.previous,)
    return (InstalledPlugin(case.plugin, case.previous_text),) if case.previous_text else ()


def manifest_of(plugin: InstalledPlugin) -> Manifest:
    """What an installed plugin would say of itself if it were asked for."""
    return Manifest(
        id=plugin.id,
        version=plugin.version,
        requires=plugin.requires,
        conflicts=plugin.conflicts,
        provides=plugin.provides,
        consumes=plugin.consumes,
    )


def with_request(subject: Subject) -> tuple[InstalledPlugin, ...]:
    """What is installed once the plugin asked for is; without what it replaces."""
    manifests = (subject.manifest, *subject.together)
    needed = {need.id for manifest in manifests for need in manifest.requires}
    replaced = {id for manifest in manifests for id in manifest.replaces if id not in needed}
    gone = replaced | {manifest.id for manifest in manifests}
    kept = tuple(plugin for plugin in subject.installed if plugin.id not in gone)
    return (*kept, *map(installed_as, manifests))


def asking(
    subject: Subject, there: Collection[InstalledPlugin], manifest: Manifest, before: InstalledPlugin | None
) -> Subject:
    """Whether a plugin may be there beside `there`: asked as if it alone were still as it was before."""
    others = tuple(plugin for plugin in there if plugin.id != manifest.id)
    installed = others if before is None else (*others, before)
    return replace(subject, manifest=manifest, installed=installed, previous_version=None, together=())


def without(subject: Subject, gone: Collection[InstalledPlugin], case: Case) -> Subject:
    """As if the plugin asked for took the place of those that go: somebody else must offer what they offer."""
    manifest = subject.manifest
    replaced = replace(manifest, replaces=(*manifest.replaces, *(plugin.id for plugin in gone)))
    known = (with_offers(plugin, case) for plugin in gone)
    return replace(subject, manifest=replaced, installed=(*subject.installed, *known))


def with_offers(plugin: InstalledPlugin, case: Case) -> InstalledPlugin:
    """With what the catalogue knows of its APIs and schemas, where nothing is told of them."""
    rows = case.matrix.release(plugin.id, plugin.version, _dialect(plugin, case))
    return replace(plugin, provides=plugin.provides or tuple(offer for row in rows for offer in row.provides))


def mentioned(plugin: InstalledPlugin, case: Case) -> Iterator[str]:
    """Every id that a plugin says something about: what it needs, uses, or cannot run beside."""
    known = plugin.id in case.others
    rows = () if known else case.matrix.release(plugin.id, plugin.version, _dialect(plugin, case))
    yield from (need.id for need in case.needs.get(plugin.id, plugin.requires))
    yield from (conflict.id for conflict in case.excludes.get(plugin.id, plugin.conflicts))
    yield from (use.id for use in case.consumed_by(plugin))
    yield from (stated.id for row in rows for stated in (*row.requires, *row.conflicts, *row.consumes))


def _dialect(plugin: InstalledPlugin, case: Case) -> Dialect:
    return case.dialect_of(plugin.id, version=plugin.version)
