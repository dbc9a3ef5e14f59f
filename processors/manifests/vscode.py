"""package.json of a VS Code extension.

The id of an extension is `publisher.name`; it is case-insensitive, so ids are lower case here. Extension
dependencies name no version; those on `vscode.*` are part of VS Code. An extension pack needs the extensions that
it lists, because VS Code installs them with it. Its npm `dependencies` are ranges for the vendor's build and do not
say which versions are included; they stay in `extra`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"name", "publisher", "displayName", "version", "extensionDependencies", "extensionPack"})
_KEPT: Final = frozenset(
    {"engines", "extensionKind", "activationEvents", "contributes", "capabilities", "categories"}
    | {"description", "license", "keywords", "repository", "bugs", "homepage", "author", "icon", "preview", "main"}
    | {"browser", "scripts", "dependencies", "devDependencies", "private", "type", "sponsor", "pricing", "l10n"}
)
_EXTENSION: Final = 'an extension id such as "publisher.name"'


def read(root: Node) -> Manifest:
    """The statements of an extension. What cannot be read is noted as a defect of the root."""
    return Manifest(
        id=_id(root),
        version=root["version"].insist(root["version"].text("a version"), 'a version such as "1.5.0"'),
        name=root["displayName"].text("a display name"),
        host_range=root["engines"].mapping("a mapping")["vscode"].text('a version range such as "^1.90.0"') or None,
        requires=tuple(dict.fromkeys(_requires(root["extensionDependencies"], root["extensionPack"]))),
        extra=root.without(_READ),
    )


def _id(root: Node) -> str:
    parts = [root[key].insist(root[key].identifier("a name"), "a name") for key in ("publisher", "name")]
    return ".".join(parts).lower() if all(parts) else ""


def _requires(*lists: Node) -> Iterator[Requirement]:
    for item in (item for node in lists for item in node.items(f"a list, each {_EXTENSION}")):
        if id := item.insist(item.identifier(_EXTENSION), _EXTENSION):
            yield Requirement(id.lower())


ECOSYSTEM: Final = Ecosystem(
    name="vscode",
    file="package.json",
    host="vscode",
    dialect=Dialect.VSCODE,
    recognises=lambda name, root: name.endswith("package.json") or root["engines"]["vscode"].stated,
    read=read,
    keys=_READ | _KEPT,
    host_example='"engines": {"vscode": "^1.95.0"}',
    needs_key="extensionDependencies",
)
