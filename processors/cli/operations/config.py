"""`compat-guard config`: validates hand-written configuration before a process reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from processors.cli import tables
from processors.cli.formats import Listing, ListingOption
from processors.configuration import guard as guard_config
from processors.configuration.settings import settings
from processors.configuration.showing import Setting, settings_shown
from processors.contracts.files import load_topics
from processors.errors import DocumentRefused, Refused, SettingsInvalid
from processors.exception_workflow import config as exception_workflow
from processors.matrix.text import load_matrix
from processors.relay import config as relay
from processors.security_context import config as security_context

app = typer.Typer(help="Settings and configuration files: show and check them.", no_args_is_help=True)

FILES: Final[Mapping[str, Callable[[Path], object]]] = {
    "guard.yaml": lambda path: guard_config.load(path.parent),
    "exception_workflow.yaml": exception_workflow.load,
    "topics.yaml": load_topics,
    "relay.yaml": lambda path: relay.load(path.parent),
    "security_context.yaml": lambda path: security_context.load(path.parent),
    "compat_matrix.yaml": load_matrix,
}
"""Every file of the folder, and its reader."""

OPTIONAL: Final = frozenset({"compat_matrix.yaml", "relay.yaml", "security_context.yaml"})
"""Files that may be missing: a matrix and policies may come from elsewhere, and the relay is optional."""


@app.callback()
def config() -> None:
    """Settings and configuration files: show and check them."""


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="folder of the files; default: GUARD_CONFIG", show_default=False)
    ] = None,
) -> None:
    """Read every configuration file as the processors do. Ends with 2, and says of each file where it is wrong."""
    place = folder or settings().config
    if not place.is_dir():
        raise SettingsInvalid(f"`{place}` is not a folder")
    files = {name: read for name, read in FILES.items() if name not in OPTIONAL or (place / name).exists()}
    refused = [f"{name}: {error}" for name, read in files.items() if (error := _problem(read, place / name))]
    if refused:
        raise DocumentRefused("", "\n".join(refused))
    typer.echo(f"no problems in {', '.join(files)} of {place}")


@app.command()
def show(
    output: ListingOption = Listing.table,
    wide: tables.WideOption = False,
    columns: tables.ColumnsOption = None,
) -> None:
    """Show each setting, its value and its origin: environment, file or default. Secrets are masked.

    The configuration folder is the one that GUARD_CONFIG names, else ./config if it contains guard.yaml, else the
    shipped defaults. `config check` reads its files.
    """
    rows = [setting._asdict() for setting in settings_shown(settings(), os.environ)]
    if output is Listing.json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    tables.listing(rows, Setting._fields[:-1], Setting._fields, tables.Asked.of(columns, wide))


def _problem(read: Callable[[Path], object], path: Path) -> str:
    try:
        read(path)
    except Refused as error:
        return str(error).removeprefix(f"{path}: ")
    return ""
