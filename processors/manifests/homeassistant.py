"""manifest.json of a custom integration for Home Assistant, with `homeassistant` of HACS if it is stated.

`dependencies` are integrations, nearly always parts of Home Assistant; the format does not say which, so they
demand nothing of what is installed. `requirements` are Python packages that it brings: pinned ones are components,
which are compared with advisories. The lowest host version belongs in `hacs.json`, which has no id and no version
of its own: it is read beside the manifest, and at the root of a repository that keeps the manifest in
`custom_components/DOMAIN`. Many integrations state it in the manifest as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from processors.events.subject import Defect, Manifest, Provision
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

HACS: Final = "hacs.json"

_READ: Final = frozenset({"domain", "name", "version", "homeassistant"})
_KEPT: Final = frozenset(
    {
        "after_dependencies",
        "dependencies",
        "requirements",
        "codeowners",
        "config_flow",
        "documentation",
        "iot_class",
    }
    | {
        "iot_class",
        "issue_tracker",
        "integration_type",
        "loggers",
        "zeroconf",
        "ssdp",
        "bluetooth",
        "dhcp",
        "usb",
        "mqtt",
    }
    | {"homekit", "quality_scale", "single_config_entry", "disabled", "import_executor", "hacs", "preview_features"}
)
_DOMAIN: Final = 'a domain such as "adaptive_lighting"'
_VERSION: Final = 'a version such as "1.5.0"'
_PINNED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([0-9A-Za-z.!+-]+)")


def read(root: Node) -> Manifest:
    """The statements of an integration. What cannot be read is noted as a defect of the root."""
    return Manifest(
        id=root["domain"].insist(root["domain"].identifier(_DOMAIN), _DOMAIN),
        version=root["version"].insist(root["version"].text(_VERSION), _VERSION),
        name=root["name"].text("a display name"),
        min_host=root["homeassistant"].text('a version such as "2024.1.0"') or None,
        components=tuple(_components(root["requirements"])),
        extra=root.without(_READ),
    )


def places_of_hacs(manifest: Path) -> tuple[Path, ...]:
    """Where a `hacs.json` about the integration may be, the nearest place first."""
    folder = manifest.parent
    is_in_repository = folder.parent.name == "custom_components"
    return (folder / HACS, *((folder.parent.parent / HACS,) if is_in_repository else ()))


def with_hacs(manifest: Manifest, hacs: Node) -> Manifest:
    """With the lowest host version of `hacs.json`, if the manifest states none. Defects of that file count."""
    lowest = hacs["homeassistant"].text('a version such as "2024.1.0"') or None
    defects = tuple(Defect(f"{HACS}: {defect.path}", defect.problem) for defect in hacs.defects)
    return replace(manifest, min_host=manifest.min_host or lowest, defects=(*manifest.defects, *defects))


def _components(node: Node) -> Iterator[Provision]:
    for item in node.items('a list of packages such as "aiohttp==3.9.1"'):
        if pinned := _PINNED.fullmatch(item.text("a package", 512)):
            yield Provision(pinned[1], pinned[2])


ECOSYSTEM: Final = Ecosystem(
    name="homeassistant",
    file="manifest.json",
    host="homeassistant",
    dialect=Dialect.MINIMUM,
    recognises=lambda name, root: name.endswith("json") and root["domain"].stated and root["codeowners"].stated,
    read=read,
    keys=_READ | _KEPT,
    host_example='"homeassistant": "2024.1.0"',
    needs_key="dependencies",
)
