"""Compares a demand with the installed version: shared by the rules about plugins."""

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


def check_demand(
    case: Case, statement: Statement, there: InstalledPlugin, dialect: Dialect, owner: str = ""
) -> Finding | Misfit | None:
    """None if a needed plugin is installed in an admitted version, else how it misses; a finding if range or
    version cannot be read. `owner` is the plugin that has the demand, by default the requested one."""
    try:
        range = statement.range(dialect)
    except Refused as error:
        return unreadable(case, Dimension.DEPENDENCY, there.id, statement, error, owner, dialect)
    version = readable(there.version, dialect)
    if version is None or range.is_empty():
        unread = there.version if version is None else None
        return unreadable(case, Dimension.DEPENDENCY, there.id, statement, None, owner, dialect, unread)
    return misfit(range, version)
