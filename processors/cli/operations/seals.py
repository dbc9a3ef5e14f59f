"""`compat-guard seals`: the keys with which processors recognise each other's records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processors.bootstrap.seal_keys import new_seals, read_seals, render_seals, with_new_key, with_newest_current
from processors.cli import talk
from processors.documents.secrets import make_once, replace_file
from processors.errors import SettingsInvalid

app = typer.Typer(
    add_completion=False,
    help="The keys that seal records between processors. Each processor gets the file by "
    "GUARD_SEAL__KEY_FILE, and so does the gateway. "
    "Give it to no other program: whoever can verify a seal can make one.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(help="file of the keys", show_default=False)]


@app.command()
def make(file: File) -> None:
    """Create a file with a first key. Ends with 2 if it exists already."""
    if not make_once(file, render_seals(new_seals())):
        raise SettingsInvalid(f"`{file}` is there already; `compat-guard seals rotate` adds a key to it")
    _say(f"made {file}. It is secret: keep it out of version control, and in a backup")


@app.command()
def rotate(file: File) -> None:
    """First step of a rotation: add a key that verifies. Restart every processor with it before `promote`."""
    seals = with_new_key(read_seals(file))
    replace_file(file, render_seals(seals))
    _say(f"added {list(seals.keys)[-1]}; {seals.current} still seals")


@app.command()
def promote(file: File) -> None:
    """Second step: the newest key seals. After a restart, processors seal their state again with it."""
    seals = with_newest_current(read_seals(file))
    replace_file(file, render_seals(seals))
    _say(f"{seals.current} seals; older keys stay, for the uses that they have sealed")


def _say(text: str) -> None:
    talk().print(text, highlight=False, soft_wrap=True)
