"""`compat-guard explain`: what a finding code means, why it matters, what to do, and how it counts."""

from __future__ import annotations

import re
import textwrap
from typing import Annotated

import typer

from processors.checker.findings import sections
from processors.cli.completion import finding_codes
from processors.errors import SettingsInvalid, nearest, shorten

WIDTH = 100
_STRONG = re.compile(r"\*\*(.+?)\*\*")


def explain(
    code: Annotated[
        str,
        typer.Argument(help="finding code, such as HOST_TOO_OLD", metavar="CODE", autocompletion=finding_codes),
    ],
) -> None:
    """Explain what a finding means, why it matters, what to do about it, and how it counts."""
    known, wanted = sections(), code.upper().replace("-", "_")
    if wanted not in known:
        raise SettingsInvalid(f"`{shorten(code)}` is not a finding code; {nearest(wanted, known)}")
    typer.echo(wanted)
    for line in known[wanted].splitlines():
        typer.echo(textwrap.fill(_STRONG.sub(r"\1:", line), WIDTH, initial_indent="  ", subsequent_indent="    "))
