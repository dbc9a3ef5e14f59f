"""Is anything installed that the plugin cannot run beside, or that cannot run beside it?"""

from __future__ import annotations

from collections.abc import Iterator

from processors.checker.case import Case, readable
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Finding
from processors.events.subject import InstalledPlugin
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Ground, Severity
from processors.versions import Range, Version


def no_conflict_is_installed(case: Case) -> Iterator[Finding]:
    """The plugin names others that it cannot run beside.

    A disabled one is a warning: it can be enabled at any time.
    """
    for conflict, statement in case.conflicts():
        plugin = case.others.get(conflict.id)
        if plugin is not None:
            yield from _clash(case, Code.PLUGIN_CONFLICT, statement, case.plugin, plugin.id, plugin.version, plugin)


def nothing_installed_declares_a_conflict(case: Case) -> Iterator[Finding]:
    """An installed plugin declares that it cannot run beside this one: the same conflict, declared by the other
    side."""
    for id, excludes in case.excludes.items():
        plugin = case.others[id]
        for conflict in excludes:
            if conflict.id == case.plugin:
                statement = Statement(conflict.range, "installed", plugin.id)
                version = case.manifest.version
                yield from _clash(case, Code.CONFLICT_REVERSE, statement, plugin.id, case.plugin, version, plugin)


def _clash(
    case: Case, code: Code, statement: Statement, subject: str, object: str, version: str, plugin: InstalledPlugin
) -> Iterator[Finding]:
    dialect = case.dialect_of(object, statement.text)
    try:
        range = statement.range(dialect)
    except Refused as error:
        yield unreadable(case, Dimension.CONFLICT, object, statement, error, subject, dialect)
        return
    if range.is_empty():
        yield unreadable(case, Dimension.CONFLICT, object, statement, None, subject, dialect)
    elif is_meant(range, readable(version, dialect)):
        yield Finding(
            code=code,
            dimension=Dimension.CONFLICT,
            effect=Effect.BLOCK if plugin.enabled else Effect.WARN,
            severity=Severity.MAJOR,
            subject=subject,
            object=object,
            required=statement.demand(dialect),
            found=version,
            ground=Ground.UNKNOWN if plugin.enabled else Ground.DISABLED,
            distance=Distance.NONE,
        )


def is_meant(range: Range, version: Version | None) -> bool:
    """Whether the conflict is about this version. Pre-releases count, and so do versions that cannot be read."""
    return version is None or range.admits(version) or range.excludes_only_as_prerelease(version)
