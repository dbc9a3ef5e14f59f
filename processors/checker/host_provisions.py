"""What the host itself provides, and how it spells the ids of its plugins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from processors.errors import Refused
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.manifests.ecosystem import WITHOUT_CASE, is_built_in
from processors.matrix.document import HostDeclaration
from processors.versions import Dialect, parse_range, parse_version


def with_plain_ids(subject: Subject) -> Subject:
    """The subject with every plugin id in lower case, for kinds of host whose ids are case-insensitive."""
    if not {subject.manifest.host, subject.host.name} & WITHOUT_CASE:
        return subject
    return replace(
        subject,
        manifest=_plain_manifest(subject.manifest),
        installed=tuple(_plain_plugin(plugin) for plugin in subject.installed),
        together=tuple(_plain_manifest(manifest) for manifest in subject.together),
    )


def _plain_manifest(manifest: Manifest) -> Manifest:
    return replace(
        manifest,
        id=manifest.id.lower(),
        requires=_plain(manifest.requires),
        conflicts=_plain(manifest.conflicts),
        replaces=tuple(id.lower() for id in manifest.replaces),
    )


def _plain_plugin(plugin: InstalledPlugin) -> InstalledPlugin:
    requires, conflicts = _plain(plugin.requires), _plain(plugin.conflicts)
    return replace(plugin, id=plugin.id.lower(), requires=requires, conflicts=conflicts)


def _plain(needs: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return tuple(replace(need, id=need.id.lower()) for need in needs)


def is_provided_by_host(
    host: Host, declared: HostDeclaration | None, kind: str, need: Requirement, dialect: Dialect
) -> bool:
    """Whether the host itself provides what is needed, in an admitted version.

    A component that the matrix declares has the version of the host. A provision of the host has a version of its
    own; without one, it satisfies only demands without a range.
    """
    if is_built_in(kind, need.id) or is_built_in(host.name, need.id):
        return True
    versions = [offer.version for offer in host.provides if offer.id == need.id]
    if declared is not None and need.id in declared.components:
        versions.append(host.version)
    return any(not need.range.strip() or _admits(need.range, version, dialect) for version in versions)


def _admits(range: str, version: str, dialect: Dialect) -> bool:
    try:
        return parse_range(range, dialect).admits(parse_version(version, dialect))
    except Refused:
        return False
