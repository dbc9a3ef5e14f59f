"""From bytes and a file name to a manifest: which ecosystem wrote it, and the reader of that ecosystem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from processors.documents import json_text, yaml_text
from processors.documents.files import content_of, naming
from processors.errors import DocumentRefused
from processors.events.subject import Manifest
from processors.manifests import grafana, helm, jenkins, plugin_yaml, vscode
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node, found

LIMIT: Final = 1024 * 1024
"""Bytes of a manifest file."""

DEPTH: Final = 32

ECOSYSTEMS: Final = (jenkins.ECOSYSTEM, vscode.ECOSYSTEM, helm.ECOSYSTEM, grafana.ECOSYSTEM, plugin_yaml.ECOSYSTEM)
"""In the order in which they are asked whether a file is theirs."""


def read_manifest(data: bytes, name: str) -> Manifest:
    """What a manifest file states. `name` is its file name, which tells ecosystems apart.

    Raises DocumentRefused only if nothing in it can be read: not YAML or JSON, unsafe, too big, no mapping.
    Anything else that is wrong is in `defects` of the answer, and such a manifest must not pass a check.
    The same bytes under the same name give the same manifest.
    """
    root = open_document(data, name)
    ecosystem = ecosystem_of(name, root)
    return replace(ecosystem.read(root), defects=tuple(root.defects), host=ecosystem.host)


def load_manifest(path: Path) -> Manifest:
    """Read a manifest from a file. Raises DocumentRefused that names it, also if there is no such file."""
    with naming(path):
        return read_manifest(file_bytes(path), path.name)


def file_bytes(path: Path) -> bytes:
    """The content of a file, of which no more is read than a manifest may have. Raises DocumentRefused."""
    return content_of(path, LIMIT)


def open_document(data: bytes, name: str) -> Node:
    """The root of a manifest file. Raises DocumentRefused."""
    value = _value(data, name.lower())
    if not isinstance(value, dict):
        raise DocumentRefused("", f"expected a manifest, which is a mapping; found {found(value)}")
    return Node(value)


def ecosystem_of(name: str, root: Node) -> Ecosystem:
    """The first ecosystem that recognises the file."""
    return next(ecosystem for ecosystem in ECOSYSTEMS if ecosystem.recognises(name.lower(), root))


def _value(data: bytes, name: str) -> Any:
    if name.endswith(".json"):
        value = json_text.load(data, limit=LIMIT)
        _refuse_depth(value)
        return value
    if name.endswith(".mf") or (data.startswith(b"Manifest-Version:") and not name.endswith((".yaml", ".yml"))):
        return jenkins.attributes(data, LIMIT)
    return yaml_text.load(data, limit=LIMIT, depth=DEPTH).value


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
