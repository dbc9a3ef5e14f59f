"""The question as it is asked on the command line: the same options for `check` and `request`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from processors.client.installed import id_and_version, printable, read_installed
from processors.client.slips import refuse_mistyped
from processors.errors import SettingsInvalid
from processors.events.subject import Host, InstalledPlugin, Provision, Subject
from processors.manifests import load_manifest

T = TypeVar("T")

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
    str | None, typer.Option("--previous", help="version that this one replaces, if `--installed` does not say so")
]

Together = Annotated[
    list[Path] | None,
    typer.Option(
        "--with", help="manifest of a plugin that is installed in the same step; repeatable", metavar="FILE"
    ),
]

HOST: Final = "NAME@VERSION, such as corex@1.9.0"
RUNTIME: Final = "NAME@VERSION, such as go@1.22"
DATABASE: Final = "NAME@VERSION, such as postgresql@16.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the options say, before anything is read.

    There is one manifest and one host; they are lists so that a second one is refused, and does not hide the first.
    """

    manifest: Sequence[Path]
    host: Sequence[str]
    runtimes: Sequence[str] = ()
    installed: Sequence[str] = ()
    installed_from: Path | None = None
    database: str | None = None
    previous: str | None = None
    together: Sequence[Path] = ()

    def subject(self) -> Subject:
        """Read the files. Raises DocumentRefused or SettingsInvalid that names the option and the value."""
        runtimes = tuple(Provision(*id_and_version("--runtime", text, RUNTIME)) for text in self.runtimes)
        database = Provision(*id_and_version("--database", self.database, DATABASE)) if self.database else None
        refuse_mistyped("--runtime", runtimes)
        refuse_mistyped("--database", (database,) if database else ())
        listed = read_installed(self.installed_from) if self.installed_from else ()
        return Subject(
            manifest=load_manifest(only("--manifest", self.manifest)),
            host=Host(*id_and_version("--host", only("--host", self.host), HOST)),
            installed=(
                *(InstalledPlugin(*id_and_version("--installed", text)) for text in self.installed),
                *listed,
            ),
            runtimes=runtimes,
            database=database,
            previous_version=None if self.previous is None else printable("--previous", self.previous),
            together=tuple(load_manifest(path) for path in self.together),
        )


def only(option: str, given: Sequence[T]) -> T:
    """The value of an option that is given once. Raises SettingsInvalid."""
    if len(given) != 1:
        raise SettingsInvalid(f"{option} is given {len(given)} times; a question has one; ask for each by itself")
    return given[0]
