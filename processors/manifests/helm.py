"""Chart.yaml of a Helm chart. Its host is Kubernetes.

A chart contains its dependencies, so they demand nothing of what is installed. A dependency with an exact version
is a component, which is compared with advisories; one with a range is not precise enough. A dependency with a
`condition` may be switched off, but still counts as a component. A library chart is never installed by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.events.subject import Lifecycle, Manifest, Provision
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"name", "version", "kubeVersion", "deprecated"})
_KEPT: Final = frozenset(
    {
        "apiVersion",
        "appVersion",
        "type",
        "dependencies",
        "description",
        "keywords",
        "home",
        "sources",
        "maintainers",
    }
    | {"icon", "annotations"}
)
_EXACT: Final = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?")
_NAME: Final = 'a chart name such as "ledger-api"'
_VERSION: Final = 'a version such as "1.5.0"'


def read(root: Node) -> Manifest:
    """The statements of a chart. What cannot be read is noted as a defect of the root."""
    return Manifest(
        id=root["name"].insist(root["name"].identifier(_NAME), _NAME),
        version=root["version"].insist(root["version"].text(_VERSION), _VERSION),
        host_range=root["kubeVersion"].text('a version range such as ">=1.28.0-0"') or None,
        lifecycle=Lifecycle(status="deprecated" if root["deprecated"].flag() else ""),
        components=tuple(_components(root["dependencies"])),
        extra=root.without(_READ),
    )


def _components(node: Node) -> Iterator[Provision]:
    for item in node.items("a list of charts, each with `name` and `version`"):
        name = item["name"].insist(item["name"].identifier(_NAME), _NAME)
        version = item["version"].text("a version range")
        if name and _EXACT.fullmatch(version):
            yield Provision(name, version)


def _recognises(name: str, root: Node) -> bool:
    if name.endswith(("chart.yaml", "chart.yml")):
        return True
    return (
        root["apiVersion"].value in ("v1", "v2") and root["name"].stated and not root.first("id", "pluginId").stated
    )


ECOSYSTEM: Final = Ecosystem(
    name="helm",
    file="Chart.yaml",
    host="kubernetes",
    dialect=Dialect.MASTERMINDS,
    recognises=_recognises,
    read=read,
    keys=_READ | _KEPT,
    host_example='kubeVersion: ">=1.28.0-0"',
    needs_key="dependencies",
)
