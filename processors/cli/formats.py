"""Output formats on stdout, the same for all commands, and the option that selects one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Listing(StrEnum):
    """Rows: for people, or for programs."""

    table = "table"
    json = "json"


class Contents(StrEnum):
    """A document: its parts for people, or whole, as it was written."""

    table = "table"
    json = "json"
    yaml = "yaml"


class Prose(StrEnum):
    """Sentences for people, or values for programs."""

    text = "text"
    json = "json"


class Values(StrEnum):
    yaml = "yaml"
    json = "json"


class Stream(StrEnum):
    """Rows that may be too many for one JSON list."""

    table = "table"
    json = "json"
    jsonl = "jsonl"


HELP = "how to show it on stdout"
ListingOption = Annotated[Listing, typer.Option("--output", "-o", help=HELP)]
ContentsOption = Annotated[Contents, typer.Option("--output", "-o", help=HELP)]
ProseOption = Annotated[Prose, typer.Option("--output", "-o", help=HELP)]
ValuesOption = Annotated[Values, typer.Option("--output", "-o", help=HELP)]
StreamOption = Annotated[Stream, typer.Option("--output", "-o", help=HELP)]
