"""How a demand meets the version that is there: the part that rules about plugins share."""

from __future__ import annotations

from processors.checker.case import Case, readable
from processors.checker.fit import Misfit, misfit
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Finding
from processors.events.subject import InstalledPlugin
from processors.events.vocabulary import Dimension
from processors.versions import Dialect


def meeting(
    case: Case, statement: Statement, there: InstalledPlugin, dialect: Dialect, owner: str = ""
) -> Finding | Misfit | None:
    """Nothing if a plugin that is needed is there in an admitted version, else how it misses; a finding where range
    or version cannot be read. `owner` is whose demand it is, by default that of the plugin asked for."""
    try:
        range = statement.range(dialect)
    except Refused as error:
        return unreadable(case, Dimension.DEPENDENCY, there.id, statement, error, owner, dialect)
    version = readable(there.version, dialect)
    if version is None or range.is_empty():
        unread = there.version if version is None else None
        return unreadable(case, Dimension.DEPENDENCY, there.id, statement, None, owner, dialect, unread)
    return misfit(range, version)
