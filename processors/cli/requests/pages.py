"""Where a rendered report or plan goes, and its width and colours."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from processors.checker.views.text import WIDTH
from processors.errors import SettingsInvalid

ToFile = Annotated[Path | None, typer.Option("--file", "-f", help="write the report here instead of stdout")]


class Paper(NamedTuple):
    """The medium of a text."""

    width: int
    colour: bool

    @classmethod
    def of(cls, file: Path | None) -> Paper:
        """A file, a pipe, or a terminal with its width. A script may set COLUMNS for a pipe."""
        tty = file is None and sys.stdout.isatty()
        narrow = tty or "COLUMNS" in os.environ
        width = min(WIDTH, shutil.get_terminal_size().columns - 2) if narrow else WIDTH
        return cls(width, tty and not os.environ.get("NO_COLOR"))


def put(rendered: str, file: Path | None) -> None:
    """Write it to the file, or to stdout if there is none. Raises SettingsInvalid."""
    if file is None:
        typer.echo(rendered)
        return
    try:
        file.write_text(rendered + "\n", "utf-8")
    except OSError as error:
        raise SettingsInvalid(f"--file `{file}` cannot be written: {error.strerror}") from None
