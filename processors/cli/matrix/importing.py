"""`compat-guard matrix import`: converts a published catalogue of an ecosystem to a matrix source."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from processors.cli import talk
from processors.documents import json_text, yaml_text
from processors.documents.files import content_of, naming
from processors.matrix.catalogues import catalogue
from processors.matrix.text import parse_matrix
from processors.matrix.writing import written

LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a catalogue."""

_CALLBACK: Final = re.compile(rb"\s*[\w.]+\(\s*(\{.*\})\s*\);?\s*", re.DOTALL)
"""update-center.json is a function call with the JSON as its argument."""


class Format(StrEnum):
    """Whose catalogue it is."""

    jenkins = "jenkins"
    helm = "helm"
    grafana = "grafana"
    open_vsx = "open-vsx"


def import_(
    format: Annotated[Format, typer.Argument(help="whose catalogue it is", show_default=False)],
    file: Annotated[Path, typer.Argument(help="the catalogue, as its ecosystem publishes it", show_default=False)],
    source: Annotated[str, typer.Option("--source", help="name of the source", show_default="the format")] = "",
) -> None:
    """Convert a published catalogue to a matrix source, as JSON on stdout.

    The source lists releases and no rules. Lint and publish it like any other: `compat-guard matrix publish
    FILE.json`.
    """
    with naming(file):
        found = catalogue(format, _decoded(format, content_of(file, LIMIT)))
        document = {"source": source or format.value, "hosts": found.hosts, "releases": found.releases}
        read = parse_matrix(json.dumps(document), json=True)
    if found.left_out:
        talk().print(f"{found.left_out} entries without a name or a version were left out")
    typer.echo(json.dumps(written(read), ensure_ascii=False, indent=1))


def _decoded(format: Format, data: bytes) -> Any:
    if format is Format.helm:
        return yaml_text.load(data, limit=LIMIT).value
    call = _CALLBACK.fullmatch(data)
    return json_text.load(call[1] if call else data, limit=LIMIT)
