"""`compat-guard ledger who` and `looks`: the name behind a pseudonym, and who has looked at one."""

from __future__ import annotations

from typing import Annotated

import typer

from processors.bootstrap.ledger_access import database
from processors.cli import tables
from processors.cli.formats import Stream, StreamOption
from processors.cli.ledger.output import show
from processors.cli.ledger.queries import app
from processors.configuration.settings import settings
from processors.ledger.database import database_errors, reading
from processors.ledger.keys import read_keys
from processors.ledger.people import look, looks
from processors.matrix.writing import instant


@app.command("who")
def who(
    pseudonym: Annotated[str, typer.Argument(help="pseudonym, such as k1:3f2a...", metavar="PSEUDONYM")],
    reason: Annotated[str, typer.Option("--reason", help="why you look; it is recorded", show_default=False)],
) -> None:
    """Show the name behind a pseudonym. The look is recorded with your login and the reason.

    `ledger looks` lists it. The login must be a member of guard_privacy, and the ledger's keys must be at hand.
    """
    keys = read_keys(settings().ledger.keys).pseudonyms
    with database("guard_privacy") as engine, database_errors(), engine.connect() as connection:
        typer.echo(look(connection, keys, pseudonym, reason))


@app.command("looks")
def list_looks(output: StreamOption = Stream.table) -> None:
    """List who looked at which name, when and why, the newest first."""
    with database("guard_auditor") as engine, reading(engine) as connection:
        rows = [{**one._asdict(), "at": instant(one.at)} for one in looks(connection)]
    if output is Stream.table:
        columns = ("at", "login", "pseudonym", "reason")
        tables.listing(rows, columns, columns, tables.Asked())
    else:
        show(rows, output)
