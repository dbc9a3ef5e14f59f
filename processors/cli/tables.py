"""Tables for people, on stdout."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

_UNBOUND: Final = 240
"""Columns where nobody says how many: a file or a pipe is not 80 wide."""

_FRAME: Final = 3
"""Characters of a column besides its content, and one more for the last edge."""


def show(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, header: bool = True) -> None:
    """Print a table, or where it is too narrow for that one row below the other.

    Lines are broken between words and nothing is cut, for ids and digests are to be copied.
    """
    console, names = page(), [Text(name) for name in columns]
    cells = [[_text(value) for value in row] for row in rows]
    filled = list(zip(names, *cells, strict=True))
    widths = [max(map(_longest_word, column)) for column in filled]
    whole = [all(len(text.plain.split()) <= 1 for text in column) for column in filled]
    if sum(widths) + _FRAME * len(widths) + 1 > console.width:
        _show_records(console, names if header else [], cells)
        return
    fixed = zip(names, widths, whole, strict=True)  # rich keeps no width but that of what must not be wrapped
    table = Table(*(Column(name, min_width=n, no_wrap=one) for name, n, one in fixed), show_header=header)
    for row in cells:
        table.add_row(*row)
    console.print(table)


def clock(milliseconds: int) -> str:
    """A time of day with its date, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(milliseconds / 1000))


def page() -> Console:
    """Stdout, as wide as the terminal or COLUMNS says."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _UNBOUND)


def _show_records(console: Console, names: Sequence[Text], rows: Iterable[Sequence[Text]]) -> None:
    """A line for each value that there is. A terminal breaks what is too long, and copies it whole."""
    indent = max((name.cell_len for name in names), default=0)
    for row in rows:
        for name, value in zip(names, row, strict=True) if names else [(Text(), Text("  ").join(row))]:
            if value.plain:
                label = Text(name.plain.ljust(indent) + "  ", style="dim") if names else Text()
                console.print(label + value, soft_wrap=True)
        if names:
            console.print()


def _text(value: str | Text) -> Text:
    return value if isinstance(value, Text) else Text(value)


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)
