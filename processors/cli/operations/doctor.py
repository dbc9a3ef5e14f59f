"""`compat-guard doctor`: checks every part of an installation, with advice for each."""

from __future__ import annotations

import json
from typing import Final

import typer
from rich.text import Text

from processors.cli import talk
from processors.cli.formats import Listing, ListingOption
from processors.cli.tables import page
from processors.configuration.settings import settings

NOT_WELL: Final = 1
_MARKS: Final = {"ok": "green", "warning": "yellow", "wrong": "bold red", "unreachable": "bold red"}


def doctor(output: ListingOption = Listing.table) -> None:
    """Check broker, registry, topics and their durability, schemas, access rules, keys, ledger, matrix, processors
    and clock.

    Changes nothing. Ends with 0 if nothing is wrong (warnings do not count), 1 if something is, 3 if a server does
    not answer.
    """
    from processors.client.examination import State, examine  # noqa: PLC0415 - help needs no client library

    found = list[State]()
    rows: list[dict[str, str]] = []
    with talk().status("asking the broker") as shown:
        for examined in examine(settings()):
            found.append(examined.state)
            rows.append({name: str(value) for name, value in examined._asdict().items()})
            shown.update(f"asked {examined.part}")
            if output is Listing.table:
                _show(rows[-1])
    if output is Listing.json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    if State.UNREACHABLE in found:
        raise typer.Exit(3)
    raise typer.Exit(NOT_WELL if State.WRONG in found else 0)


def _show(row: dict[str, str]) -> None:
    line = Text.assemble((f"{row['state']:<12}", _MARKS[row["state"]]), f"{row['part']:<14}", row["found"])
    page().print(line, soft_wrap=True)
    if row["to_do"]:
        page().print(Text(f"{'':12}{'':14}{row['to_do']}", style="cyan"), soft_wrap=True)
