"""The options of a question: the same for `check` and `request`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ManifestFile = Annotated[
    list[Path],
    typer.Option(
        "--manifest",
        "-m",
        help="manifest of the plugin to install, such as plugin.yaml",
        metavar="FILE",
        show_default=False,
    ),
]
HostOption = Annotated[
    list[str],
    typer.Option(
        "--host", help="host and version, such as corex@1.9.0", metavar="NAME@VERSION", show_default=False
    ),
]
Runtimes = Annotated[
    list[str] | None,
    typer.Option("--runtime", help="runtime of the host, such as go@1.22; repeatable", metavar="NAME@VERSION"),
]
Installed = Annotated[
    list[str] | None,
    typer.Option("--installed", help="plugin that is installed there; repeatable", metavar="ID@VERSION"),
]
InstalledFile = Annotated[
    Path | None,
    typer.Option(
        "--installed-from",
        help="installed plugins: a line ID@VERSION each, or a JSON list of {id, version, enabled, requires, ...}",
    ),
]
Database = Annotated[
    str | None,
    typer.Option("--database", help="database of the host, such as postgresql@16.4", metavar="NAME@VERSION"),
]
Previous = Annotated[
    str | None,
    typer.Option("--previous", help="version that this one replaces, if `--installed` does not state it"),
]

Together = Annotated[
    list[Path] | None,
    typer.Option(
        "--with", help="manifest of a plugin that is installed in the same step; repeatable", metavar="FILE"
    ),
]
