"""META-INF/plugin.xml of a plugin for IntelliJ-based products.

Its host is a build number from `since-build` to `until-build`. Dependencies name no versions;
`com.intellij.modules.*` and `<module>` are parts of the product. Which other plugins a product includes depends on
the product, so the matrix has to list them among its components. The plugin's build writes version and build
numbers into the file: lint the built one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from processors.documents.xml_text import Element
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"id", "name", "version", "idea-version", "depends", "dependencies", "incompatible-with"})
_ID: Final = 'a plugin id such as "org.example.lens"'
_VERSION: Final = 'a version such as "1.5.0"; the build writes it into META-INF/plugin.xml, so check the built file'
_PARTS: Final = "com.intellij.modules."


def document(root: Element) -> dict[str, Any]:
    """The elements that the check reads, as values; of all others only the names."""
    found: dict[str, Any] = {child.name: True for child in root.children}
    for name in ("id", "name", "version"):
        if texts := [child.text for child in root.all(name)]:
            found[name] = texts[0] or None
    for name in ("depends", "incompatible-with"):
        found[name] = [{**child.attributes, "id": child.text} for child in root.all(name)] or None
    found["idea-version"] = next((dict(child.attributes) for child in root.all("idea-version")), None)
    needed = (child for part in root.all("dependencies") for child in part.children)
    plugins = [child.attributes for child in needed if child.name != "module"]
    found["dependencies"] = [dict(attributes) for attributes in plugins] or None
    return {"idea-plugin": True, **{key: value for key, value in found.items() if value is not None}}


def read(root: Node) -> Manifest:
    """The statements of a plugin. What cannot be read is noted as a defect of the root."""
    id = root.first("id", "name")
    return Manifest(
        id=id.insist(id.identifier(_ID), _ID),
        version=root["version"].insist(root["version"].text(_VERSION), _VERSION),
        name=root["name"].text("a display name"),
        host_range=_builds(root["idea-version"]),
        requires=tuple(_requires(root)),
        conflicts=tuple(_conflicts(root["incompatible-with"])),
        extra=root.without(_READ | {"idea-plugin"}),
    )


def _builds(node: Node) -> str | None:
    ends = (("since", node["since-build"]), ("until", node["until-build"]))
    stated = [f"{name}={text}" for name, end in ends if (text := end.text("a build such as 241.14494"))]
    return " ".join(stated) or None


def _requires(root: Node) -> Iterator[Requirement]:
    for node in (root["depends"], root["dependencies"]):
        for item in node.items(f"a list, each {_ID}"):
            id = item["id"].insist(item["id"].identifier(_ID), _ID)
            if id and not id.startswith(_PARTS):
                yield Requirement(id, optional=item["optional"].flag() or False)


def _conflicts(node: Node) -> Iterator[Requirement]:
    for item in node.items(f"a list, each {_ID}"):
        if id := item["id"].insist(item["id"].identifier(_ID), _ID):
            yield Requirement(id)


ECOSYSTEM: Final = Ecosystem(
    name="jetbrains",
    file="plugin.xml",
    host="intellij",
    dialect=Dialect.JETBRAINS,
    recognises=lambda _name, root: root["idea-plugin"].stated,
    read=read,
    keys=frozenset(),
    host_example='<idea-version since-build="241" until-build="243.*"/>',
    needs_key="depends",
)
