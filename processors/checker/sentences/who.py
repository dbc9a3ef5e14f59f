"""Who states a demand."""

from __future__ import annotations

from processors.checker.sentences.fact import Asked
from processors.events.report import Finding
from processors.events.vocabulary import Dimension


def said_by(finding: Finding, asked: Asked) -> str:  # noqa: PLR0911 - one return for each who can say
    """Who states the demand, such as `the manifest of crm says so` or `vendor 2026.11.24-1, matrix[3] says so`.

    A manifest is named by its plugin: a sentence names several things, and "its" could be any of them.
    """
    demand = finding.required
    match demand.stated_by:
        case "manifest":
            return f"the manifest of {demand.source or finding.subject} says so"
        case "installed" if demand.source == asked.plugin:
            return "the installed version says so"
        case "installed" | "host":
            return f"{demand.source} says so"
        case "policy":
            return f"security policy {demand.source} says so"
        case "guard":
            return "the guard's own rule"
        case "matrix" if demand.row is not None:
            return f"{_place(finding)}: {demand.constraint}"
        case _:
            return f"{_place(finding)} says so"


def _place(finding: Finding) -> str:
    """Where in the matrix: source, revision and row, named as `matrix lint` names it."""
    demand = finding.required
    rows = "matrix" if finding.dimension is Dimension.MATRIX else "releases"
    row = f"{rows}[{demand.row}]" if demand.row is not None else ""
    return ", ".join(filter(None, (f"{demand.source} {demand.revision}".strip(), row)))
