"""`compat-guard schema`: the JSON Schema of a command's output, for programs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from processors.cli.tables import paged
from processors.errors import SettingsInvalid, nearest, shorten


def schema(
    command: Annotated[
        list[str] | None,
        typer.Argument(help="command, such as matrix status; default: list them", metavar="COMMAND"),
    ] = None,
) -> None:
    """Print the JSON Schema (2020-12) of what a command writes with --output json, or list the commands."""
    from processors.cli.json_outputs import OUTPUTS, schema_of  # noqa: PLC0415 - the help needs no schema

    name = " ".join(command or ())
    with paged():
        if not name:
            typer.echo("\n".join(OUTPUTS))
        elif name in OUTPUTS:
            typer.echo(json.dumps(schema_of(name), indent=2, ensure_ascii=False))
        else:
            raise SettingsInvalid(f"`{shorten(name)}` writes no JSON; {nearest(name, OUTPUTS)}")
