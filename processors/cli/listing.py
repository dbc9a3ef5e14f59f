"""The help of the whole command line: its options, and every command under its heading, in typer's layout.

Typer's own implementation imports a Markdown reader and a syntax highlighter, and takes twice as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


def print_help(command: Any, ctx: Any, headings: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
    """Print to stdout.

    `headings` are those of the commands, each with the names and descriptions of its commands.
    """
    console = Console(emoji=False)
    options = [record for option in command.get_params(ctx) if (record := option.get_help_record(ctx))]
    console.print(Padding(Text(command.get_usage(ctx), style="bold"), 1))
    console.print(Padding(Text(command.help), (0, 1, 1, 1)))
    console.print(_panel("Options", options))
    width = max(len(name) for _, rows in headings for name, _ in rows)
    for heading, rows in headings:
        console.print(_panel(heading, rows, width))


def _panel(title: str, rows: Iterable[tuple[str, str]], width: int | None = None) -> Panel:
    table = Table(box=None, show_header=False, expand=True, pad_edge=False)
    table.add_column(style="bold cyan", no_wrap=True, width=width)
    table.add_column(ratio=1)
    for name, use in rows:
        table.add_row(Text(name), Text(use))
    return Panel(table, title=title, title_align="left", border_style="dim")
