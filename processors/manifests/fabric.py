"""fabric.mod.json of a Fabric mod.

Mods in `depends` must be installed and mods in `breaks` must not; `recommends`, `suggests` and `conflicts` never
block. `minecraft` is the host, `java` and `fabricloader` are its runtimes. One range of a list is enough, and
`>=1.21-` is 1.21 with all its pre-releases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, cast

from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"id", "version", "name", "depends", "breaks"})
_KEPT: Final = frozenset(
    {"schemaVersion", "description", "authors", "contributors", "contact", "license", "icon", "environment"}
    | {
        "entrypoints",
        "mixins",
        "accessWidener",
        "recommends",
        "suggests",
        "conflicts",
        "jars",
        "custom",
        "provides",
    }
    | {"languageAdapters", "provides"}
)
_ID: Final = 'a mod id such as "sodium"'
_VERSION: Final = 'a version such as "0.6.9"'
_RANGE: Final = 'a range such as ">=1.21 <1.22"'
_RUNTIMES: Final = frozenset({"java", "fabricloader"})
_WITH_CANDIDATES: Final = re.compile(r"(?<=[0-9])-(?=\s|$)")


def read(root: Node) -> Manifest:
    """The statements of a mod. What cannot be read is noted as a defect of the root."""
    needs = tuple(_ranges(root["depends"]))
    runtimes = tuple(need for need in needs if need.id in _RUNTIMES)
    return Manifest(
        id=root["id"].insist(root["id"].identifier(_ID), _ID),
        version=root["version"].insist(root["version"].text(_VERSION), _VERSION),
        name=root["name"].text("a display name"),
        host_range=next((need.range or "*" for need in needs if need.id == "minecraft"), None),
        requires=tuple(need for need in needs if need.id not in _RUNTIMES | {"minecraft"}),
        conflicts=tuple(need for need in _ranges(root["breaks"]) if need.id != "minecraft"),
        runtimes=runtimes or None,
        extra=root.without(_READ),
    )


def _ranges(node: Node) -> Iterator[Requirement]:
    for id, range in node.mapping("a mapping from mod ids to ranges").entries():
        items = range.items(_RANGE) if range.is_list else (range,)
        texts = [item.text(_RANGE) for item in items]
        written = " || ".join(_WITH_CANDIDATES.sub("-alpha.0", text) for text in texts)
        yield Requirement(id, "" if written.strip() == "*" else written)


ECOSYSTEM: Final = Ecosystem(
    name="fabric",
    file="fabric.mod.json",
    host="minecraft",
    dialect=Dialect.GENERIC,
    recognises=lambda name, root: (
        name.endswith("fabric.mod.json") or (cast("object", root["schemaVersion"].value) == 1 and root["id"].stated)
    ),
    read=read,
    keys=_READ | _KEPT,
    host_example='"depends": {"minecraft": ">=1.21 <1.22"}',
    needs_key="depends",
    needs_example='"sodium": ">=0.6.0"',
    runtime_example='"depends": {"java": ">=21"}',
)
