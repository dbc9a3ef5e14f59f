"""appinfo/info.xml of a Nextcloud or ownCloud app.

`min-version` and `max-version` are inclusive, and `max-version="31"` covers all of 31. Apps are independent: the
format has no dependencies between them. An app for `mysql` runs on MariaDB as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from processors.documents.xml_text import Element
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"id", "name", "version", "nextcloud", "owncloud", "php", "database"})
_ID: Final = 'an app id such as "calendar"'
_VERSION: Final = 'a version such as "5.0.1"'
_DATABASES: Final = {"mysql": ("mysql", "mariadb"), "pgsql": ("postgresql",), "sqlite": ("sqlite",)}


def document(root: Element) -> dict[str, Any]:
    """The elements that the check reads, as values; of all others only the names."""
    found: dict[str, Any] = {child.name: True for child in root.children}
    for name in ("id", "name", "version"):
        if texts := [child.text for child in root.all(name)]:
            found[name] = texts[0] or None
    needs = [child for part in root.all("dependencies") for child in part.children]
    for name in ("nextcloud", "owncloud", "php"):
        found[name] = next((dict(child.attributes) for child in needs if child.name == name), None)
    found["database"] = [{**c.attributes, "id": c.text} for c in needs if c.name == "database"] or None
    return {"info": True, **{key: value for key, value in found.items() if value is not None}}


def read(root: Node) -> Manifest:
    """The statements of an app. What cannot be read is noted as a defect of the root."""
    host = root.first("nextcloud", "owncloud")
    return Manifest(
        id=root["id"].insist(root["id"].identifier(_ID), _ID),
        version=root["version"].insist(root["version"].text(_VERSION), _VERSION),
        name=root["name"].text("a display name"),
        min_host=host["min-version"].text('a version such as "30"') or None,
        max_host=host["max-version"].text('a version such as "31"') or None,
        runtimes=tuple(_php(root["php"])) or None,
        databases=tuple(_databases(root["database"])),
        extra=root.without(_READ | {"info", "dependencies"}),
    )


def _php(node: Node) -> Iterator[Requirement]:
    if range := _between(node):
        yield Requirement("php", range)


def _databases(node: Node) -> Iterator[Requirement]:
    for item in node.items("a list of databases"):
        name = item["id"].text("a database such as pgsql").lower()
        for database in _DATABASES.get(name, (name,)):
            if database:
                yield Requirement(database, _between(item))


def _between(node: Node) -> str:
    lowest, highest = (node[key].text("a version") for key in ("min-version", "max-version"))
    return " ".join(filter(None, (f">={lowest}" if lowest else "", f"<={highest}" if highest else "")))


def _ecosystem(host: str) -> Ecosystem:
    return Ecosystem(
        name=host,
        file="info.xml",
        host=host,
        dialect=Dialect.MINIMUM,
        recognises=lambda _name, root: root["info"].stated and (host == "nextcloud" or root["owncloud"].stated),
        read=read,
        keys=frozenset(),
        host_example=f'<{host} min-version="30" max-version="31"/>',
        needs_key="dependencies",
        runtime_example='<php min-version="8.1"/>',
    )


OWNCLOUD: Final = _ecosystem("owncloud")
NEXTCLOUD: Final = _ecosystem("nextcloud")
