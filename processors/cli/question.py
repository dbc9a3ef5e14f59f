"""The question as it is asked on the command line: the same options for `check` and `request`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from processors import json_text
from processors.errors import DocumentRefused, SettingsInvalid, shorten
from processors.events.subject import Host, InstalledPlugin, Provision, Subject
from processors.files import content_of, naming
from processors.manifests import load_manifest
from processors.scalars import utf8

ManifestFile = Annotated[
    Path,
    typer.Option(
        "--manifest", "-m", help="manifest of the plugin to install, such as plugin.yaml", show_default=False
    ),
]
HostOption = Annotated[
    str,
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
    typer.Option("--installed-from", help="installed plugins: a line ID@VERSION each, or a JSON list of objects"),
]
Database = Annotated[
    str | None,
    typer.Option("--database", help="database of the host, such as postgresql@16.4", metavar="NAME@VERSION"),
]
Previous = Annotated[
    str | None, typer.Option("--previous", help="version that this one replaces, if `--installed` does not say so")
]

LARGEST_LIST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the options say, before anything is read."""

    manifest: Path
    host: str
    runtimes: Sequence[str] = ()
    installed: Sequence[str] = ()
    installed_from: Path | None = None
    database: str | None = None
    previous: str | None = None

    def subject(self) -> Subject:
        """Read the files. Raises DocumentRefused or SettingsInvalid that names the option and the value."""
        name, version = at("--host", self.host)
        listed = _listed(self.installed_from) if self.installed_from else ()
        return Subject(
            manifest=load_manifest(self.manifest),
            host=Host(name, version),
            installed=(*(InstalledPlugin(*at("--installed", text)) for text in self.installed), *listed),
            runtimes=tuple(Provision(*at("--runtime", text)) for text in self.runtimes),
            database=Provision(*at("--database", self.database)) if self.database else None,
            previous_version=self.previous,
        )


_EXAMPLES: Final = {
    "--host": "NAME@VERSION, such as corex@1.9.0",
    "--runtime": "NAME@VERSION, such as go@1.22",
    "--database": "NAME@VERSION, such as postgresql@16.4",
}


def at(option: str, text: str) -> tuple[str, str]:
    """The two sides of the last `@`, so that ids may hold one."""
    name, sign, version = text.rpartition("@")
    if not (name and sign and version):
        form = _EXAMPLES.get(option, "ID@VERSION, such as com.powerx.plugins.crm@0.6.0")
        raise SettingsInvalid(f"{option} `{shorten(text)}` is not {form}")
    return name, version


def _listed(path: Path) -> tuple[InstalledPlugin, ...]:
    with naming(path):
        text = utf8(content_of(path, LARGEST_LIST), LARGEST_LIST)
        if text.lstrip().startswith("["):
            return tuple(_object(number, item) for number, item in enumerate(json_text.load(text)))
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return tuple(
        InstalledPlugin(*at(f"{path}: line {number}:", line)) for number, line in lines if line and line[0] != "#"
    )


def _object(number: int, item: Any) -> InstalledPlugin:
    match item:
        case {"id": str(plugin_id), "version": str(version), "enabled": False}:
            return InstalledPlugin(plugin_id, version, enabled=False)
        case {"id": str(plugin_id), "version": str(version)}:
            return InstalledPlugin(plugin_id, version)
        case _:
            raise DocumentRefused(f"[{number}]", "expected an object with `id` and `version`, both of them text")
