"""plugin.json of a Grafana plugin.

The host range is `dependencies.grafanaDependency`; older plugins have `dependencies.grafanaVersion` instead.
The version of a plugin dependency was never a constraint, and newer Grafana ignores it, so it is not read. A
plugin that is nested in an app inherits version and host range from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from processors.events.subject import Lifecycle, Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset({"id", "name", "state"})
_KEPT: Final = frozenset(
    {
        "$schema",
        "type",
        "info",
        "dependencies",
        "includes",
        "backend",
        "executable",
        "routes",
        "category",
        "metrics",
    }
    | {"logs", "alerting", "annotations", "tracing", "streaming", "autoEnabled", "preload", "skipDataQuery"}
    | {"queryOptions", "iam", "roles", "extensions", "languages", "hideFromList", "builtIn", "enterpriseFeatures"}
)
_TYPES: Final = frozenset({"panel", "datasource", "app", "renderer", "secretsmanager"})
_PLUGIN: Final = 'a plugin id such as "grafana-clock-panel"'
_VERSION: Final = 'a version such as "1.5.0" (a nested plugin has that of its app: check that plugin.json)'


def read(root: Node) -> Manifest:
    """The statements of a Grafana plugin. What cannot be read is noted as a defect of the root."""
    needs, version = root["dependencies"].mapping("a mapping"), root["info"].mapping("a mapping")["version"]
    state = root["state"].text("a state such as beta")
    range_node = needs.first("grafanaDependency", "grafanaVersion")
    return Manifest(
        id=root["id"].insist(root["id"].identifier(_PLUGIN), _PLUGIN),
        version=version.insist(version.text(_VERSION), _VERSION),
        name=root["name"].text("a display name"),
        host_range=range_node.text('a version range such as ">=10.4.0"') or None,
        requires=tuple(_requires(needs["plugins"])),
        lifecycle=Lifecycle(status=state if state == "deprecated" else ""),
        channel=state if state != "deprecated" else "",
        extra=root.without(_READ),
    )


def _requires(node: Node) -> Iterator[Requirement]:
    for item in node.items("a list of plugins, each with `id`"):
        if id := item["id"].insist(item["id"].identifier(_PLUGIN), _PLUGIN):
            yield Requirement(id)


def _recognises(name: str, root: Node) -> bool:
    if not name.endswith("json"):
        return False
    needs = root["dependencies"]
    states_grafana = needs["grafanaDependency"].stated or needs["grafanaVersion"].stated
    return states_grafana or (root["type"].value in tuple(_TYPES) and root["info"].is_mapping)


ECOSYSTEM: Final = Ecosystem(
    name="grafana",
    file="plugin.json",
    host="grafana",
    dialect=Dialect.NPM_PRERELEASE,
    recognises=_recognises,
    read=read,
    keys=_READ | _KEPT,
    host_example='"dependencies": {"grafanaDependency": ">=10.4.0"}',
    version_key="info.version",
    needs_key="dependencies.plugins",
)
