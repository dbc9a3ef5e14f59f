"""Tables for people, on stdout."""

from __future__ import annotations

import io
import os
import pydoc
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Annotated, Any, Final, NamedTuple, cast

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from processors.documents.instants import utc
from processors.errors import SettingsInvalid, nearest, shorten

ColumnsOption = Annotated[
    str | None, typer.Option("--columns", help="columns of the table, such as time,who,outcome", metavar="NAME,...")
]
WideOption = Annotated[bool, typer.Option("--wide", "-w", help="every column, however narrow the terminal is")]


class Asked(NamedTuple):
    """The selected columns, if any."""

    columns: Sequence[str] = ()
    wide: bool = False

    @classmethod
    def of(cls, columns: str | None, wide: bool) -> Asked:
        """The values of `--columns` and `--wide`."""
        named = (name.strip().replace("-", "_") for name in (columns or "").split(","))
        return cls(tuple(filter(None, named)), wide)


_UNBOUND: Final = 240
"""The width of a file or a pipe, if none is given: more than 80."""

_FRAME: Final = 3
"""Characters of a column in addition to its content, and one more for the last edge."""


def show(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, header: bool = True) -> None:
    """Print a table, or, if it is too wide for the page, each row as a block of lines.

    Lines are broken between words and nothing is truncated, because ids and digests are meant to be copied.
    """
    console, names = page(), [Text(name) for name in columns]
    cells = [[_text(value) for value in row] for row in rows]
    filled = list(zip(names, *cells, strict=True))
    widths = [max(map(_longest_word, column)) for column in filled]
    whole = [all(len(text.plain.split()) <= 1 for text in column) for column in filled]
    if sum(widths) + _FRAME * len(widths) + 1 > console.width:
        _show_records(console, names if header else [], cells)
        return
    fixed = zip(names, widths, whole, strict=True)  # rich keeps only the width of columns without wrapping
    table = Table(*(Column(name, min_width=n, no_wrap=one) for name, n, one in fixed), show_header=header)
    for row in cells:
        table.add_row(*row)
    console.print(table)


def listing(rows: Sequence[Mapping[str, Any]], short: Sequence[str], wide: Sequence[str], asked: Asked) -> None:
    """Print rows in the selected columns; else in `wide` if the page is wide enough, else in `short`.

    Raises SettingsInvalid for a column that the rows do not have.
    """
    if not rows:
        return
    columns = asked.columns or (wide if asked.wide or _fits(rows, wide) else short)
    for name in columns:
        if name not in rows[0]:
            raise SettingsInvalid(f"--columns `{shorten(name)}`: {nearest(name, rows[0])}")
    console, cells = page(), [[_cell(row[name]) for name in columns] for row in rows]
    names = [Text(name.replace("_", " ")) for name in columns]
    widths = _widths(names, cells, console.width)
    if widths is None:
        _show_records(console, names, cells)
        return
    sized = (Column(name, width=width, overflow="fold") for name, width in zip(names, widths, strict=True))
    table = Table(*sized, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _fits(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bool:
    """Whether no cell of these columns would have to be broken."""
    widths = [max(cell_len(name), *(_cell(row[name]).cell_len for row in rows)) for name in columns]
    return sum(widths) + len(widths) <= page().width


def _widths(names: Sequence[Text], cells: Sequence[Sequence[Text]], room: int) -> list[int] | None:
    """The width of each column so that a line fits `room`, broken only between words; None if that is impossible.

    The widest column with several words is narrowed first.
    """
    filled = list(zip(names, *cells, strict=True))
    widths = [max(text.cell_len for text in column) for column in filled]
    least = [max(map(_longest_word, column)) for column in filled]
    excess = sum(widths) + len(widths) - room
    while excess > 0:
        slack = [width - smallest for width, smallest in zip(widths, least, strict=True)]
        widest = max(range(len(widths)), key=lambda n: (slack[n] > 0, widths[n]))
        if slack[widest] <= 0:
            return None
        given = min(excess, slack[widest])
        widths[widest] -= given
        excess -= given
    return widths


def _cell(value: Any) -> Text:
    if isinstance(value, list | tuple):
        return Text(", ".join(map(str, cast("Sequence[object]", value))))
    return value if isinstance(value, Text) else Text("" if value is None else str(value))


@contextmanager
def paged() -> Generator[None]:
    """Show the output through the terminal's pager; a pipe gets it unchanged."""
    if not sys.stdout.isatty():
        yield
        return
    written = io.StringIO()
    with redirect_stdout(written):
        yield
    os.environ.setdefault("LESS", "FRX")  # output that fits the screen is shown at once, with colours
    pydoc.pager(written.getvalue())


def clock(milliseconds: int) -> str:
    """A time of day with its date, in UTC."""
    return f"{utc(milliseconds):%Y-%m-%d %H:%M:%S}"


def page() -> Console:
    """Stdout, with the width of the terminal or COLUMNS."""
    return Console(emoji=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _UNBOUND)


def _show_records(console: Console, names: Sequence[Text], rows: Iterable[Sequence[Text]]) -> None:
    """A line for each value. The terminal wraps long ones, and copies them unbroken."""
    rows = list(rows)
    indent = max((name.cell_len for name in names), default=0)
    first = 0 if names else max((row[0].cell_len for row in rows), default=0)
    for row in rows:
        if not names:
            row[0].pad_right(first - row[0].cell_len)
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
