"""META-INF/neoforge.mods.toml, or mods.toml, of a NeoForge or Forge mod.

Ranges are Maven's, `[1.21.1,1.22)`; they are passed on as `>=1.21.1 <1.22`, so that one host can have mods of
several loaders. `minecraft` is the host; `neoforge` and `forge` are the loaders. Only the first mod of the file is
read. The build may write the version into the file: lint the built one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"mods", "dependencies"})
_KEPT: Final = frozenset(
    {"modLoader", "loaderVersion", "license", "issueTrackerURL", "showAsResourcePack", "showAsDataPack", "services"}
    | {"properties", "mixins", "accessTransformers", "logoFile", "clientSideOnly", "modproperties", "features"}
    | {"enumExtensions", "catalogueImageIcon"}
)
_ID: Final = 'a mod id such as "jei"'
_VERSION: Final = 'a version such as "19.21.0"; the build writes it in, so check the file inside the jar'
_RANGE: Final = 'a range such as "[1.21.1,1.22)"'
_KINDS: Final = frozenset({"required", "optional", "incompatible", "discouraged"})
_LOADERS: Final = frozenset({"neoforge", "forge"})
_KIND: Final = "required, optional, incompatible or discouraged"
_BRACKETS: Final = re.compile(r"([\[(])([^,\])]*)(,?)([^\])]*)([\])])")


def read(root: Node) -> Manifest:
    """The statements of the first mod. What cannot be read is noted as a defect of the root."""
    mod = next(root["mods"].items("a list of mods"), root["mods"])
    id = mod["modId"].insist(mod["modId"].identifier(_ID), _ID)
    needs = tuple(_needs(root["dependencies"].mapping("a table of dependencies for each mod id")[id]))
    wanted = tuple(need for need, kind in needs if kind in ("required", "optional"))
    loaders = tuple(need for need in wanted if need.id in _LOADERS)
    return Manifest(
        id=id,
        version=mod["version"].insist(mod["version"].text(_VERSION), _VERSION),
        name=mod["displayName"].text("a display name"),
        host_range=next((need.range or "*" for need in wanted if need.id == "minecraft"), None),
        requires=tuple(need for need in wanted if need.id not in _LOADERS | {"minecraft"}),
        conflicts=tuple(need for need, kind in needs if kind == "incompatible"),
        runtimes=loaders or None,
        extra=root.without(_READ),
    )


def _needs(node: Node) -> Iterator[tuple[Requirement, str]]:
    for item in node.items("a list of dependencies"):
        mandatory = item["mandatory"].flag()
        kind = item["type"].text(_KIND).lower() or ("optional" if mandatory is False else "required")
        if kind not in _KINDS:
            item["type"].refuse(_KIND)  # what it means is unknown, so the mod may need this one
        if id := item["modId"].insist(item["modId"].identifier(_ID), _ID):
            yield Requirement(id, _comparators(item["versionRange"].text(_RANGE)), kind == "optional"), kind


def _comparators(text: str) -> str:
    """Maven's brackets as comparators; a bare version is a recommendation, and admits everything."""
    if "[" not in text and "(" not in text:
        return ""
    sets = [_set(*match.groups()) for match in _BRACKETS.finditer(text)]
    left = _BRACKETS.sub("", text).replace(",", "").strip()
    return text if left or not sets else " || ".join(sets)


def _set(opening: str, low: str, comma: str, high: str, closing: str) -> str:
    if not comma:
        return f"={low.strip()}"
    lower = f"{'>=' if opening == '[' else '>'}{low.strip()}" if low.strip() else ""
    upper = f"{'<=' if closing == ']' else '<'}{high.strip()}" if high.strip() else ""
    return " ".join(filter(None, (lower, upper))) or "*"


ECOSYSTEM: Final = Ecosystem(
    name="neoforge",
    file="neoforge.mods.toml",
    host="minecraft",
    dialect=Dialect.GENERIC,
    recognises=lambda name, root: name.endswith("mods.toml") or root["modLoader"].stated,
    read=read,
    keys=_READ | _KEPT,
    host_example='modId="minecraft" versionRange="[1.21.1,1.22)"',
    version_key="mods.version",
    needs_key="dependencies",
    needs_example='modId="jei" versionRange="[19.21,)"',
    runtime_example='modId="neoforge" versionRange="[21.1,)"',
)
