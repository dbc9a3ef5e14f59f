"""VS Code, Grafana, Helm, NeoForge, OpenSearch and JetBrains: what their formats state, and what they do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from processors.events.subject import Lifecycle, Manifest, Provision, Requirement
from processors.manifests import load_manifest, read_manifest

EXTENSION = {"publisher": "Nordwind", "name": "Lens", "version": "0.8.2"}
PANEL = {"type": "panel", "id": "tide", "info": {"version": "2.4.0"}}
CHART = {"apiVersion": "v2", "name": "ledger-api", "version": "3.1.0"}


def read(stated: dict[str, Any], name: str) -> Manifest:
    return read_manifest(json.dumps(stated).encode(), name)


def test_an_extension_id_has_no_case() -> None:
    """`Nordwind.Lens` and `nordwind.lens` are one extension, so both sides of a dependency are lower case."""
    manifest = read({**EXTENSION, "extensionDependencies": ["MS-Python.python"]}, "package.json")

    assert (manifest.id, manifest.requires) == ("nordwind.lens", (Requirement("ms-python.python"),))


def test_an_extension_pack_needs_what_it_lists() -> None:
    """Each once, also where it is a dependency too."""
    pack = {**EXTENSION, "extensionDependencies": ["a.b"], "extensionPack": ["A.b", "c.d"]}

    assert read(pack, "package.json").requires == (Requirement("a.b"), Requirement("c.d"))


def an_integration(folder: Path, **more: str) -> Path:
    folder.mkdir(parents=True)
    stated = {"domain": "hub", "name": "Hub", "version": "1.0.0", "codeowners": ["@somebody"], **more}
    (folder / "manifest.json").write_text(json.dumps(stated), "utf-8")
    return folder / "manifest.json"


def test_an_integration_runs_on_what_its_hacs_file_says(tmp_path: Path) -> None:
    """At the root of its repository or beside it; what the manifest states itself comes first."""
    file = an_integration(tmp_path / "custom_components" / "hub")
    (tmp_path / "hacs.json").write_text('{"name": "Hub", "homeassistant": "2024.1.0"}', "utf-8")
    assert load_manifest(file).min_host == "2024.1.0"

    (file.parent / "hacs.json").write_text('{"homeassistant": "2025.1.0"}', "utf-8")
    assert load_manifest(file).min_host == "2025.1.0"

    own = an_integration(tmp_path / "custom_components" / "other", homeassistant="2023.1.0")
    assert load_manifest(own).min_host == "2023.1.0"


def test_a_hacs_file_that_cannot_be_meant_is_a_defect(tmp_path: Path) -> None:
    """It must not pass for one that says nothing."""
    file = an_integration(tmp_path / "hub")
    (tmp_path / "hub" / "hacs.json").write_text('{"homeassistant": ["2025.1.0"]}', "utf-8")

    assert [defect.path for defect in load_manifest(file).defects] == ["hacs.json: homeassistant"]


def test_an_extension_that_runs_anywhere_has_not_said_so() -> None:
    """Without engines.vscode, hosts are undeclared; `engines.node` speaks of the build."""
    assert read({**EXTENSION, "engines": {"node": ">=20"}}, "package.json").host_range is None
    assert read({**EXTENSION, "engines": {"node": ">=20"}}, "package.json").runtimes is None


@pytest.mark.parametrize(
    ("stated", "name", "paths"),
    [
        pytest.param({"name": "lens", "version": "1.0.0"}, "package.json", ["publisher"], id="no publisher"),
        pytest.param({**EXTENSION, "engines": 5}, "package.json", ["engines"], id="engines of a number"),
        pytest.param(
            {**EXTENSION, "extensionDependencies": ["a.b >=1", 7]},
            "package.json",
            ["extensionDependencies[0]", "extensionDependencies[1]"],
            id="dependencies that are no ids",
        ),
        pytest.param({**PANEL, "dependencies": "grafana"}, "plugin.json", ["dependencies"], id="words for needs"),
        pytest.param(
            {**PANEL, "dependencies": {"plugins": [{"version": "1"}]}},
            "plugin.json",
            ["dependencies.plugins[0].id"],
            id="a plugin without id",
        ),
        pytest.param({"type": "app", "id": "a", "info": {}}, "plugin.json", ["info.version"], id="no version"),
        pytest.param(
            {**CHART, "dependencies": [{"version": "1"}]},
            "Chart.yaml",
            ["dependencies[0].name"],
            id="no chart name",
        ),
        pytest.param({**CHART, "deprecated": "soon"}, "Chart.yaml", ["deprecated"], id="half deprecated"),
    ],
)
def test_what_cannot_be_read_is_a_defect(stated: dict[str, Any], name: str, paths: list[str]) -> None:
    """As in plugin.yaml: a defect at its place, and the rest is read."""
    assert [defect.path for defect in read(stated, name).defects] == paths


def test_grafanas_newer_range_wins_over_the_older_key() -> None:
    """grafanaVersion is what Grafana itself reads only where grafanaDependency is missing."""
    needs = {"grafanaDependency": ">=10.4.0", "grafanaVersion": "7.x.x"}

    assert read({**PANEL, "dependencies": needs}, "plugin.json").host_range == ">=10.4.0"


def test_a_grafana_state_is_a_channel_or_the_end_of_a_life() -> None:
    """`beta` says how finished a release is, `deprecated` where it stands in its life."""
    assert read({**PANEL, "state": "beta"}, "plugin.json").channel == "beta"
    assert read({**PANEL, "state": "deprecated"}, "plugin.json").lifecycle == Lifecycle("deprecated")


def test_a_chart_carries_its_dependencies_inside() -> None:
    """They demand nothing of the cluster; those with an exact version are components."""
    subcharts = [{"name": "postgresql", "version": "16.2.5"}, {"name": "common", "version": "2.x.x"}]

    manifest = read({**CHART, "dependencies": subcharts}, "Chart.yaml")

    assert (manifest.requires, manifest.components) == ((), (Provision("postgresql", "16.2.5"),))
    assert json.loads(manifest.extra["dependencies"]) == subcharts


MOD = """
modLoader = "javafml"
[[mods]]
modId = "jei"
version = "19.21.0"
[[dependencies.jei]]
modId = "core"
versionRange = "[2.0,)"
"""


@pytest.mark.parametrize("kind", ["requires", "mandatory", "conflict", "Require d", "true"])
def test_a_kind_of_dependency_that_nobody_knows_is_a_defect(kind: str) -> None:
    """It may be a demand, so it must not count as none."""
    manifest = read_manifest(f'{MOD}type = "{kind}"\n'.encode(), "neoforge.mods.toml")

    assert [defect.path for defect in manifest.defects] == ["dependencies.jei[0].type"]


@pytest.mark.parametrize("kind", ["required", "Required ", "OPTIONAL", "incompatible", "discouraged", ""])
def test_every_kind_of_dependency_that_neoforge_knows_is_read(kind: str) -> None:
    manifest = read_manifest(f'{MOD}type = "{kind}"\n'.encode(), "neoforge.mods.toml")

    assert manifest.defects == ()
    assert len(manifest.requires) + len(manifest.conflicts) == (kind != "discouraged")


def test_dependencies_of_no_mod_are_a_defect() -> None:
    manifest = read_manifest(MOD.replace("dependencies.jei", "dependencies").encode(), "neoforge.mods.toml")

    assert [defect.path for defect in manifest.defects] == ["dependencies"]


@pytest.mark.parametrize(
    "stated",
    [
        '{ opensearh: "~2.19.0" }',
        '{ opensearch: "~2.19.0", job-scheduler: "1" }',
        "[]",
        "[" * 1_020,
        "2.19",
        '{ opensearch: "2", opensearch: "3" }',
    ],
    ids=["misspelt", "another plugin", "a list", "without end", "a number", "twice"],
)
def test_a_range_of_opensearch_that_cannot_be_meant_is_a_defect(stated: str) -> None:
    """OpenSearch refuses such a plugin too."""
    text = f"name=a\nversion=3.0.0.0\nopensearch.version=3.0.0\ndependencies={stated}\n"

    assert {d.path for d in read_manifest(text.encode(), "plugin-descriptor.properties").defects} == {
        "dependencies"
    }


@pytest.mark.parametrize(
    ("stated", "needs", "paths"),
    [
        ('<dependencies><plugin id="a"/><module name="b"/></dependencies>', ["a"], []),
        ('<dependencies><plugn id="a"/></dependencies>', ["a"], []),
        ("<dependencies><needs>a</needs></dependencies>", [], ["dependencies[0].id"]),
        ("<incompatible-with/>", [], ["incompatible-with[0].id"]),
    ],
)
def test_what_a_plugin_needs_is_no_less_for_an_element_that_nobody_knows(
    stated: str, needs: list[str], paths: list[str]
) -> None:
    text = f"<idea-plugin><id>l</id><version>1.0</version>{stated}</idea-plugin>"
    manifest = read_manifest(text.encode(), "plugin.xml")

    assert [need.id for need in manifest.requires] == needs
    assert [defect.path for defect in manifest.defects] == paths
