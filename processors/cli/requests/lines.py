"""Results, one line each, as they arrive: in a default layout, or in selected columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.text import Text

from processors.cli.tables import clock
from processors.errors import SettingsInvalid, nearest, shorten
from processors.events.results import Result
from processors.masking.texts import clean

_COLOURS: Final = {"ALLOW": "green", "WARN": "yellow", "BLOCK": "bold red", "ALLOW_BY_EXCEPTION": "bold cyan"}

COLUMNS: Final[Mapping[str, int]] = {
    **{"time": 19, "verdict": 18, "score": 5, "band": 8, "plugin": 36, "version": 10, "name": 24},
    **{"host": 10, "host_version": 12, "operator": 16, "tenant": 12, "environment": 12, "target": 16},
    **{"request": 36, "result": 36, "exception": 36, "approval": 36, "decided": 19, "expires": 19},
    **{"possible": 8, "codes": 24, "url": 0, "summary": 0},
}
"""The columns of a line and their fixed widths: the values still to come are unknown."""

_FIELDS: Final = {
    **{"plugin": "plugin_id", "version": "plugin_version", "name": "plugin_name", "request": "request_id"},
    **{"result": "result_id", "exception": "exception_id", "approval": "approval_id", "url": "report_url"},
}


def require_known(columns: Sequence[str]) -> None:
    """Raises SettingsInvalid for an unknown column."""
    for name in columns:
        if name not in COLUMNS:
            raise SettingsInvalid(f"--columns `{shorten(name)}`: {nearest(name, COLUMNS)}")


def heading(columns: Sequence[str]) -> Text:
    return Text(_joined(columns, {name: name.replace("_", " ") for name in columns}), style="dim")


def row(at: int, result: Result, columns: Sequence[str]) -> Text:
    """A result in these columns. `at` is the broker's time of it."""
    shown = Text(_joined(columns, {name: _cell(name, at, result) for name in columns}))
    verdict = result.record["verdict"]
    shown.highlight_words([verdict.replace("_", " ").lower()], _COLOURS.get(verdict, "red"))
    return shown


def line(result: Result) -> Text:
    """A result in one line: verdict, risk, the request id for `report`, and what it is about."""
    verdict = result.record["verdict"]
    text = Text(f"{verdict.replace('_', ' ').lower():<18} ", style=_COLOURS.get(verdict, "red"))
    text.append(f"{result.score:>3} {result.band.lower():<8} {_harmless(result.request_id)}  ", style="dim")
    return text.append(result.summary, style="default")


def _joined(columns: Sequence[str], cells: Mapping[str, str]) -> str:
    return "  ".join(_harmless(cells[name]).ljust(COLUMNS[name]) for name in columns).rstrip()


def _harmless(text: str) -> str:
    """One line without control characters: most of it is the requester's text."""
    return " ".join(clean(text).split())


def _cell(name: str, at: int, result: Result) -> str:
    shown = _SHOWN.get(name)
    if name == "time":
        return clock(at)
    return shown(result) if shown else str(result.record.get(_FIELDS.get(name, name)) or "")


def _moment(field: str) -> Callable[[Result], str]:
    return lambda result: "" if result.record.get(field) is None else clock(result.record[field])


def _possible(result: Result) -> str:
    possible = result.exception_possible
    return "" if possible is None else "yes" if possible else "no"


_SHOWN: Final[Mapping[str, Callable[[Result], str]]] = {
    "verdict": lambda result: result.record["verdict"].replace("_", " ").lower(),
    "band": lambda result: result.band.lower(),
    "score": lambda result: str(result.score),
    "decided": _moment("decided_at"),
    "expires": _moment("matrix_expires_at"),
    "possible": _possible,
    "codes": lambda result: ",".join(result.codes),
    "summary": lambda result: result.summary,
}
"""Columns that are not simply a text of the result."""
