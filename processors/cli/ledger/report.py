"""`compat-guard ledger report`: blocks and exceptions of a period, for auditors."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from processors.bootstrap.ledger_access import database
from processors.cli.ledger.output import Until, instant
from processors.cli.ledger.queries import app
from processors.errors import SettingsInvalid
from processors.ledger.database import reading
from processors.ledger.period import period
from processors.ledger.period_views import VIEWS


class ReportFormat(StrEnum):
    markdown = "markdown"
    html = "html"
    csv = "csv"


@app.command("report")
def report(
    since: Annotated[
        str, typer.Option("--since", help="ISO 8601 date or time, UTC; inclusive", show_default=False)
    ],
    until: Until = None,
    output: Annotated[
        ReportFormat, typer.Option("--output", "-o", help="form of the report")
    ] = ReportFormat.markdown,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="write it here instead of stdout")] = None,
) -> None:
    """Report the blocks and exceptions of a period: risk, top causes, what is overdue, and decisions by person.

    Without --until the period ends now. People appear under pseudonyms.
    """
    begins, ends = _moment(since, "--since"), _moment(until, "--until") if until else datetime.now(UTC)
    if begins >= ends:
        raise SettingsInvalid(f"--since `{since}` is not before the end of the period")
    with database("guard_auditor") as engine, reading(engine) as connection:
        written = VIEWS[output](period(connection, begins, ends))
    if file is None:
        typer.echo(written, nl=False)
        return
    try:
        file.write_text(written, "utf-8")
    except OSError as error:
        raise SettingsInvalid(f"--file `{file}` cannot be written: {error.strerror}") from None


def _moment(given: str, option: str) -> datetime:
    return datetime.fromtimestamp((instant(given, option) or 0) / 1000, UTC)
