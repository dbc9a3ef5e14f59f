"""`compat-guard matrix status`: how fresh each source of the matrix is."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

import typer
from rich.text import Text

from processors.cli import tables, talk
from processors.cli.formats import Listing, ListingOption
from processors.client.matrix_freshness import freshness
from processors.configuration import guard as guard_config
from processors.configuration.settings import settings
from processors.matrix.uncounted import uncounted
from processors.staleness.freshness import Level

HOUR: Final = 3_600_000
_COLOURS: Final = {Level.FRESH: "green", Level.AGEING: "yellow", Level.EXPIRED: "bold red", Level.AHEAD: "bold red"}


def status(
    output: ListingOption = Listing.table,
) -> None:
    """Show each source with its revision, age and expiry. Ends with 1 if one has expired or was issued in
    the future, or if there is none."""
    from processors.client.matrix_topic import read_matrix  # noqa: PLC0415 - lint needs no client library

    of = settings()
    warn_at = guard_config.load(of.config).staleness.warn_at
    now = time.time_ns() // 1_000_000
    matrix = read_matrix(of)[0].snapshot()
    rows = freshness(matrix, warn_at, now)
    if output is Listing.json:
        typer.echo(json.dumps(rows))
    elif rows:
        _show(rows)
    else:
        typer.echo("no source has published a matrix: every request blocks with MATRIX_MISSING")
    for name in matrix.missing:
        talk().print(f"{name} is required and missing: every request blocks with MATRIX_MISSING", highlight=False)
    for source in matrix.sources:
        document = matrix.document(source.name)
        for notice in uncounted(document, matrix.authority) if document else ():
            talk().print(f"{source.name}: {notice.where}: {notice.message}", markup=False, highlight=False)
    good = all(row["level"] not in (Level.EXPIRED, Level.AHEAD) for row in rows)
    raise typer.Exit(0 if rows and good and not matrix.missing else 1)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    columns = ("source", "level", "revision", "age", "used", "expires", "left")
    tables.show(columns, map(_line, rows))


def _line(row: dict[str, Any]) -> tuple[str | Text, ...]:
    return (
        row["source"],
        Text(row["level"], style=_COLOURS[row["level"]]),
        row["revision"],
        f"{row['age_hours']:g} h",
        f"{row['used_percent']} %",
        row["expires_at"],
        f"{row['expires_in_hours']:g} h",
    )
