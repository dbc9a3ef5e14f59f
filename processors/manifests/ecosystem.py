"""What the guard knows of an ecosystem: how its manifests are recognised and read, and which host they are
about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from processors.events.subject import Manifest
from processors.manifests.node import Node
from processors.versions import Dialect

SCHEMES: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "vscode": Dialect.NPM,
        "kubernetes": Dialect.MASTERMINDS,
        "grafana": Dialect.NPM_PRERELEASE,
        "jenkins": Dialect.MINIMUM,
        "opensearch": Dialect.GENERIC,
        "elasticsearch": Dialect.GENERIC,
        "wordpress": Dialect.GENERIC,
        "intellij": Dialect.GENERIC,
        "minecraft": Dialect.GENERIC,
        "homeassistant": Dialect.PEP440,
        "nextcloud": Dialect.GENERIC,
        "owncloud": Dialect.GENERIC,
    }
)
"""The dialect of plugin versions for each kind of host, if the ecosystem defines one."""

WITHOUT_RUNTIME: Final = frozenset({"vscode", "kubernetes", "grafana", "intellij", "homeassistant"})
"""Kinds of host whose manifests have no field for a runtime version: the host provides the runtime."""

HOSTS: Final = frozenset({"corex", "vscode", "kubernetes", "grafana", "jenkins"})
"""Hosts that a plugin.yaml is not about, unless it is `corex`. A platform may call its own host by another name."""

ALL_HOSTS: Final = HOSTS | SCHEMES.keys()
"""The hosts of all ecosystems."""

WITHOUT_CASE: Final = frozenset({"vscode"})
"""Kinds of host whose plugin ids are case-insensitive; they are compared in lower case."""


def is_built_in(host: str, plugin: str) -> bool:
    """Whether a plugin is part of every host of the kind, so that it is never installed."""
    return host == "vscode" and plugin.startswith("vscode.")


def plugin_scheme(host: str) -> Dialect | None:
    """The dialect in which plugins for a kind of host state their own versions; None if the platform decides."""
    return SCHEMES.get(host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecosystem:
    """One kind of manifest. `host` and `dialect` are the usual ones of its plugins; the matrix decides."""

    name: str
    file: str
    host: str
    dialect: Dialect
    recognises: Callable[[str, Node], bool]
    """Whether a file with this name (in lower case) and content is of this kind."""

    read: Callable[[Node], Manifest]
    """Reads the statements of a file. What cannot be read is noted as a defect of the root."""

    keys: frozenset[str]
    """Top-level keys of the format, whether the check reads them or not."""

    nested: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """The keys that the format defines under some of them."""

    unread: frozenset[str] = frozenset()
    """Keys that the check does not read and under which an unknown key may belong to the build tool."""

    host_example: str
    """How its file states the hosts that it runs on."""

    version_key: str = "version"
    needs_key: str
    needs_example: str = ""
    """How a dependency with a range is written; empty if the format has none."""

    runtime_example: str = ""
    """How a runtime's version is written; empty if the host provides the runtime."""
