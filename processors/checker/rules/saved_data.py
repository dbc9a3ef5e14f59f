"""Does the plugin still read what its older version has saved?"""

from __future__ import annotations

from collections.abc import Iterator

from processors.checker.case import Case, readable
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.events.report import Finding
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Ground, Severity


def saved_data_is_read(case: Case) -> Iterator[Finding]:
    """A plugin may state the oldest of its versions whose saved data it reads; an upgrade from an older one
    warns."""
    since = case.manifest.compatible_since
    if not since or case.previous_text is None:
        return
    statement = Statement(f">={since}", "manifest", case.plugin)
    dialect = case.dialect_of(case.plugin, since)
    oldest, before = readable(since, dialect), readable(case.previous_text, dialect)
    if oldest is None:
        yield unreadable(case, Dimension.MIGRATION, case.plugin, statement, None, dialect=dialect)
    elif before is not None and before < oldest:
        yield Finding(
            code=Code.DATA_FORMAT_BREAK,
            dimension=Dimension.MIGRATION,
            effect=Effect.WARN,
            severity=Severity.UNKNOWN,
            subject=case.plugin,
            object=case.plugin,
            required=statement.demand(dialect),
            found=case.previous_text,
            ground=Ground.OUTSIDE,
            distance=Distance.NONE,
        )
