"""The question of a person or a script: a manifest file, a host, and what is installed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from processors.client.installed import id_and_version, printable, read_installed
from processors.client.mistyped import refuse_mistyped
from processors.errors import SettingsInvalid
from processors.events.subject import Host, InstalledPlugin, Provision, Subject
from processors.manifests import load_manifest

T = TypeVar("T")

HOST: Final = "NAME@VERSION, such as corex@1.9.0"
RUNTIME: Final = "NAME@VERSION, such as go@1.22"
DATABASE: Final = "NAME@VERSION, such as postgresql@16.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginQuestion:
    """What was asked, before any file is read.

    There is one manifest and one host; they are lists so that a second one is refused instead of replacing the
    first.
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
