"""What an ecosystem is to the guard: how its manifest is known and read, and whose versions it speaks of."""

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
"""The dialect of plugin versions of each kind of host, where that is a matter of its ecosystem."""

WITHOUT_RUNTIME: Final = frozenset({"vscode", "kubernetes", "grafana", "intellij", "homeassistant"})
"""Kinds of host whose manifests have no place for the version of a runtime: they bring it themselves."""

HOSTS: Final = frozenset({"corex", "vscode", "kubernetes", "grafana", "jenkins"})
"""Hosts that a plugin.yaml is not about, unless it is `corex`. A platform may know its own host by another name."""

ALL_HOSTS: Final = HOSTS | SCHEMES.keys()
"""The hosts of all ecosystems."""

WITHOUT_CASE: Final = frozenset({"vscode"})
"""Kinds of host whose plugin ids are the same in any case; they are compared in lower case."""


def is_built_in(host: str, plugin: str) -> bool:
    """Whether a plugin is part of every host of the kind, so that nobody installs it."""
    return host == "vscode" and plugin.startswith("vscode.")


def plugin_scheme(host: str) -> Dialect | None:
    """The dialect in which plugins for a kind of host state their own versions; None where the platform says."""
    return SCHEMES.get(host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecosystem:
    """One kind of manifest. `host` and `dialect` are what its plugins usually mean; the matrix decides."""

    name: str
    file: str
    host: str
    dialect: Dialect
    recognises: Callable[[str, Node], bool]
    """Whether a file of this name (lower case) and content is of this kind."""

    read: Callable[[Node], Manifest]
    """The statements; what cannot be read is noted as a defect of the root."""

    keys: frozenset[str]
    """Top-level keys that the format knows, whether the check needs them or not."""

    nested: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """What the format knows under some of them."""

    unread: frozenset[str] = frozenset()
    """Those of them that the check does not read, where an unknown key may as well be the build tool's own."""

    host_example: str
    """How its file states which hosts it runs on."""

    version_key: str = "version"
    needs_key: str
    needs_example: str = ""
    """How a dependency with a range is written; empty where the format has no such thing."""

    runtime_example: str = ""
    """How a runtime's version is written; empty where the host brings the runtime."""
