"""An installation after some changes, and the questions to ask about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import reduce
from typing import Final

from processors.checker.case import Case
from processors.checker.host_provisions import with_plain_ids
from processors.checker.together import installed_as
from processors.events.report import Change, Remediation
from processors.events.subject import InstalledPlugin, Manifest, Provision, Subject
from processors.events.vocabulary import Code, RemedyKind
from processors.versions import Dialect

NOT_TOLD: Final = frozenset({Code.HOST_UNDECLARED, Code.RUNTIME_UNDECLARED, Code.MATRIX_UNLISTED})
"""Codes that do not count against an installed plugin: they only say that nobody has stated whether it fits."""

OTHER_VERSIONS: Final = frozenset(
    {RemedyKind.INSTALL_DEPENDENCY, RemedyKind.UPGRADE_DEPENDENCY, RemedyKind.DOWNGRADE_DEPENDENCY}
)
"""Changes of a plugin other than the requested one to a version."""


def changed(subject: Subject, change: Change, case: Case) -> Subject:
    """The question after one change. `case` is the original question."""
    return (
        _succeeded(subject, change, case) if change.kind is RemedyKind.REPLACE_PLUGIN else _moved(subject, change)
    )


def can_be_asked_after(plan: Remediation) -> bool:
    """Whether `after` can answer: if the plugin is replaced, only the matrix knows what its successor replaces."""
    return all(change.kind is not RemedyKind.REPLACE_PLUGIN for change in plan.changes)


def after(subject: Subject, plan: Remediation) -> Subject:
    """The question once a plan is carried out, so that the guard can judge the plan.

    For another release of the plugin only the version is stated: the matrix may know more.
    """
    return reduce(_moved, plan.changes, with_plain_ids(subject))  # as the guard read it when it made the plan


def _moved(subject: Subject, change: Change) -> Subject:
    """The question after any change except the replacement of the requested plugin."""
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
    """The question with the successor in place of the requested plugin.

    If an older version is installed, it stays until then.
    """
    manifest = Manifest(id=change.target, version=change.to or "", replaces=(case.plugin,))
    others = tuple(plugin for plugin in subject.installed if plugin.id not in (case.plugin, change.target))
    older = (with_offers(plugin, case) for plugin in _older(case))
    return replace(subject, manifest=manifest, installed=(*others, *older), previous_version=None)


def _older(case: Case) -> tuple[InstalledPlugin, ...]:
    """The installed version of the plugin, even if only `previous_version` states it."""
    if case.previous is not None:
        return (case.previous,)
    return (InstalledPlugin(case.plugin, case.previous_text),) if case.previous_text else ()


def manifest_of(plugin: InstalledPlugin) -> Manifest:
    """The manifest that an installed plugin would have if it were requested."""
    return Manifest(
        id=plugin.id,
        version=plugin.version,
        requires=plugin.requires,
        conflicts=plugin.conflicts,
        provides=plugin.provides,
        consumes=plugin.consumes,
    )


def with_request(subject: Subject) -> tuple[InstalledPlugin, ...]:
    """What is installed after the request, without what it replaces."""
    manifests = (subject.manifest, *subject.together)
    needed = {need.id for manifest in manifests for need in manifest.requires}
    replaced = {id for manifest in manifests for id in manifest.replaces if id not in needed}
    gone = replaced | {manifest.id for manifest in manifests}
    kept = tuple(plugin for plugin in subject.installed if plugin.id not in gone)
    return (*kept, *map(installed_as, manifests))


def asking(
    subject: Subject, there: Collection[InstalledPlugin], manifest: Manifest, before: InstalledPlugin | None
) -> Subject:
    """The question whether a plugin may be installed beside `there`, as if it alone were requested. `before` is its
    installed version, None if it is absent."""
    others = tuple(plugin for plugin in there if plugin.id != manifest.id)
    installed = others if before is None else (*others, before)
    return replace(subject, manifest=manifest, installed=installed, previous_version=None, together=())


def without(subject: Subject, gone: Collection[InstalledPlugin], case: Case) -> Subject:
    """As if the requested plugin replaced those that are removed: another plugin must then offer what they
    offer."""
    manifest = subject.manifest
    replaced = replace(manifest, replaces=(*manifest.replaces, *(plugin.id for plugin in gone)))
    known = (with_offers(plugin, case) for plugin in gone)
    return replace(subject, manifest=replaced, installed=(*subject.installed, *known))


def with_offers(plugin: InstalledPlugin, case: Case) -> InstalledPlugin:
    """With the APIs and schemas that the catalogue knows, if none are stated."""
    rows = case.trusted(case.matrix.release(plugin.id, plugin.version, _dialect(plugin, case)))
    return replace(plugin, provides=plugin.provides or tuple(offer for row in rows for offer in row.provides))


def mentioned(plugin: InstalledPlugin, case: Case) -> Iterator[str]:
    """Every id that a plugin makes a statement about: what it needs, uses, or conflicts with."""
    known = plugin.id in case.others
    rows = () if known else case.matrix.release(plugin.id, plugin.version, _dialect(plugin, case))
    yield from (need.id for need in case.needs.get(plugin.id, plugin.requires))
    yield from (conflict.id for conflict in case.excludes.get(plugin.id, plugin.conflicts))
    yield from (use.id for use in case.consumed_by(plugin))
    yield from (stated.id for row in rows for stated in (*row.requires, *row.conflicts, *row.consumes))


def _dialect(plugin: InstalledPlugin, case: Case) -> Dialect:
    return case.dialect_of(plugin.id, version=plugin.version)
