"""The report of a period as Markdown, HTML or CSV. Pure. Outside text must not become markup."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from processors.ledger.export import inert
from processors.ledger.period import Period, Section

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}th,td{border:1px solid #8884;padding:.2rem .6rem;"
    "text-align:left}.HIGH,.CRITICAL{color:#cf222e}.MEDIUM{color:#9a6700}"
    "@media print{body{margin:0;max-width:none}}"
)


def markdown(report: Period) -> str:
    lines = [f"# Blocks and exceptions, {_span(report)}"]
    for section in report.sections:
        lines += ["", f"## {section.title}", "", f"{section.means}.", ""]
        lines += _markdown_rows(section) if section.rows else ["None."]
    return "\n".join(lines) + "\n"


def html(report: Period) -> str:
    body = "".join(_html_section(section) for section in report.sections)
    title = escape(f"Blocks and exceptions, {_span(report)}")
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    )


def csv_text(report: Period) -> str:
    """One line for each cell: section, row number, column, value. So all sections fit into one file."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(("section", "row", "column", "value"))
    for section in report.sections:
        for number, row in enumerate(section.rows, 1):
            cells = zip(section.columns, row, strict=True)
            writer.writerows((section.title, number, name, inert(_cell(value))) for name, value in cells)
    return written.getvalue()


VIEWS: Final[Mapping[str, Callable[[Period], str]]] = {"markdown": markdown, "html": html, "csv": csv_text}


def _span(report: Period) -> str:
    return f"{_cell(report.since)} to {_cell(report.until)}"


def _markdown_rows(section: Section) -> list[str]:
    head = f"| {' | '.join(_heading(name) for name in section.columns)} |"
    rows = [f"| {' | '.join(_plain(_cell(value)) for value in row)} |" for row in section.rows]
    return [head, "|" + "---|" * len(section.columns), *rows]


def _html_section(section: Section) -> str:
    head = "".join(f"<th>{escape(_heading(name))}</th>" for name in section.columns)
    rows = "".join(f"<tr>{''.join(map(_html_cell, section.columns, row))}</tr>\n" for row in section.rows)
    table = f"<table><tr>{head}</tr>\n{rows}</table>" if rows else "<p>None.</p>"
    return f"<h2>{escape(section.title)}</h2><p>{escape(section.means)}.</p>{table}\n"


def _html_cell(column: str, value: Any) -> str:
    label = f' class="{escape(_cell(value))}"' if column == "risk" else ""
    return f"<td{label}>{escape(_cell(value))}</td>"


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|~" else character for character in text)
