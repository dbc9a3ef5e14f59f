"""Rows of the ledger on stdout: a table for people, JSON or JSON Lines for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from processors.cli import tables
from processors.cli.formats import Stream
from processors.errors import SettingsInvalid
from processors.matrix.writing import instant as as_text

Since = Annotated[str | None, typer.Option("--since", "--from", help="ISO 8601 date or time, UTC; inclusive")]
Until = Annotated[str | None, typer.Option("--until", "--to", help="ISO 8601 date or time, UTC; exclusive")]


def show(rows: Sequence[Mapping[str, Any]], style: Stream, columns: Sequence[str] | None = None) -> None:
    """Write rows. A table has the selected columns, JSON all of them."""
    if style is Stream.json:
        typer.echo(json.dumps(list(rows), indent=2, ensure_ascii=False, default=_written))
    elif style is Stream.jsonl:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False, default=_written))
    elif rows:
        shown = columns or list(rows[0])
        tables.show([name.replace("_", " ") for name in shown], (_cells(row, shown) for row in rows))


def _written(value: object) -> object:
    """Converts values that JSON cannot represent: times as everywhere, numbers of the database as numbers."""
    if isinstance(value, datetime):
        return as_text(round(value.timestamp() * 1000))
    return float(value) if isinstance(value, Decimal) else str(value)


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    return ["" if row.get(name) is None else str(row[name]) for name in columns]


def instant(given: str | None, option: str) -> int | None:
    """Milliseconds since the epoch of a date or time; a time without zone is UTC. Raises SettingsInvalid."""
    if given is None:
        return None
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise SettingsInvalid(f"{option} `{given}` is not a time such as 2026-01-31T12:00Z") from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
