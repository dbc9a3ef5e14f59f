"""From bytes and a file name to a manifest: finds the ecosystem and calls its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from processors.documents import json_text, toml_text, xml_text, yaml_text
from processors.documents.files import content_of, naming
from processors.errors import DocumentRefused, shorten
from processors.events.subject import Manifest
from processors.manifests import (
    fabric,
    grafana,
    helm,
    homeassistant,
    jenkins,
    jetbrains,
    neoforge,
    nextcloud,
    plugin_yaml,
    properties,
    vscode,
    wordpress,
)
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node, found

LIMIT: Final = 1024 * 1024
"""The most bytes of a manifest file."""

DEPTH: Final = 32

_PLACEHOLDER: Final = re.compile(r"\$\{.*\}|@.+@|%[A-Za-z_]+%|\{\{.*\}\}")
"""Placeholders into which build tools write a version."""

ECOSYSTEMS: Final = (
    jenkins.ECOSYSTEM,
    fabric.ECOSYSTEM,
    homeassistant.ECOSYSTEM,
    vscode.ECOSYSTEM,
    helm.ECOSYSTEM,
    grafana.ECOSYSTEM,
    properties.OPENSEARCH,
    properties.ELASTICSEARCH,
    wordpress.ECOSYSTEM,
    jetbrains.ECOSYSTEM,
    nextcloud.OWNCLOUD,
    nextcloud.NEXTCLOUD,
    neoforge.ECOSYSTEM,
    plugin_yaml.ECOSYSTEM,
)
"""In the order in which they are tried."""


def read_manifest(data: bytes, name: str) -> Manifest:
    """The content of a manifest file. `name` is its file name, by which ecosystems are distinguished.

    Raises DocumentRefused only if nothing in it can be read: not YAML or JSON, unsafe, too big, or not a mapping.
    Every other error is in `defects` of the result, and such a manifest must not pass a check. The same bytes under
    the same name give the same manifest.
    """
    root = open_document(data, name)
    ecosystem = ecosystem_of(name, root)
    manifest = statements(root, ecosystem)
    return replace(manifest, defects=tuple(root.defects), host=ecosystem.host)


def statements(root: Node, ecosystem: Ecosystem) -> Manifest:
    """The statements of the file. A placeholder for the version is noted as a defect of the root."""
    manifest = ecosystem.read(root)
    if _PLACEHOLDER.fullmatch(manifest.version):
        problem = f"expected a version, found the placeholder `{shorten(manifest.version)}`; check the built file"
        Node(manifest.version, ecosystem.version_key, root.defects).note(problem)
    return manifest


def load_manifest(path: Path) -> Manifest:
    """Read a manifest from a file, and a second file of the same plugin if its ecosystem has one.

    Raises DocumentRefused that names the file, also if there is no such file.
    """
    with naming(path):
        manifest = read_manifest(file_bytes(path), path.name)
    if manifest.host == homeassistant.ECOSYSTEM.host:
        for place in filter(Path.is_file, homeassistant.places_of_hacs(path)):
            with naming(place):
                return homeassistant.with_hacs(manifest, open_document(file_bytes(place), place.name))
    return manifest


def file_bytes(path: Path) -> bytes:
    """The content of a file, never more than a manifest may have. Raises DocumentRefused."""
    return content_of(path, LIMIT)


def open_document(data: bytes, name: str) -> Node:
    """The root of a manifest file. Raises DocumentRefused."""
    value = _value(data, name)
    if not isinstance(value, dict):
        raise DocumentRefused("", f"expected a manifest, which is a mapping; found {found(value)}")
    return Node(value)


def ecosystem_of(name: str, root: Node) -> Ecosystem:
    """The first ecosystem that recognises the file."""
    return next(ecosystem for ecosystem in ECOSYSTEMS if ecosystem.recognises(name.lower(), root))


def _value(data: bytes, file: str) -> Any:
    name = file.lower()
    if name.endswith(".php"):
        return wordpress.header(data, file, LIMIT)
    for ending, read in _FORMS.items():
        if name.endswith(ending):
            return read(data)
    if data.startswith(b"Manifest-Version:") and not name.endswith((".yaml", ".yml")):
        return jenkins.attributes(data, LIMIT)
    return yaml_text.load(data, limit=LIMIT, depth=DEPTH).value


def _json(data: bytes) -> Any:
    value = json_text.load(data, limit=LIMIT)
    _refuse_depth(value)
    return value


def _xml(data: bytes) -> Any:
    root = xml_text.load(data, limit=LIMIT, depth=DEPTH)
    match root.name:
        case "idea-plugin":
            return jetbrains.document(root)
        case "info":
            return nextcloud.document(root)
        case name:
            raise DocumentRefused("", f"expected `<idea-plugin>` or `<info>`, found `<{shorten(name)}>`")


def _toml(data: bytes) -> Any:
    value = toml_text.load(data, limit=LIMIT)
    _refuse_depth(value)
    return value


def _refuse_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    if any(isinstance(value, (dict, list)) for value in level):
        raise DocumentRefused("", f"expected at most {DEPTH} levels, found a deeper one")


def _inside(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case list():
            return value  # pyright: ignore[reportUnknownVariableType]
        case _:
            return []


_FORMS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    ".json": _json,
    ".xml": _xml,
    ".toml": _toml,
    ".properties": lambda data: properties.attributes(data, LIMIT),
    ".mf": lambda data: jenkins.attributes(data, LIMIT),
}
"""By the ending of a file's name; any other is YAML."""
