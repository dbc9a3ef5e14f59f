"""Names the source of a demand that another plugin makes: its own declaration, else the catalogue row that
states it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from processors.checker.case import Case, known_rows
from processors.events.report import Finding
from processors.events.subject import InstalledPlugin
from processors.events.vocabulary import Dimension
from processors.matrix.document import Release

_STATED: Final = {
    Dimension.DEPENDENCY: "requires",
    Dimension.CONFLICT: "conflicts",
    Dimension.API_SCHEMA: "consumes",
}


def attributed(case: Case, finding: Finding, version: str = "") -> Finding:
    """The finding, with its demand attributed to the catalogue row if nothing else states it. The id stays the
    same.

    `version` is the version of the finding's subject, if it differs from the installed one.
    """
    stated = _STATED.get(finding.dimension)
    if finding.required.stated_by != "installed" or stated is None:
        return finding
    there = case.others.get(finding.subject)
    if there is None or version not in ("", there.version):
        rows = (
            known_rows(case.matrix, InstalledPlugin(finding.subject, version), case.default_dialect)
            if version
            else ()
        )
    else:
        rows = () if attrgetter(stated)(there) else case.rows.get(there.id, ())
    return _by_row(finding, rows, stated)


def _by_row(finding: Finding, rows: Sequence[Release], stated: str) -> Finding:
    demand = finding.required
    for row in rows:
        if any(need.id == finding.object and need.range == demand.constraint for need in attrgetter(stated)(row)):
            by_row = replace(demand, stated_by="catalogue", source=row.source, revision=row.revision, row=row.row)
            return replace(finding, required=by_row)
    return finding
