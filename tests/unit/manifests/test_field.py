"""Manifests of the field, of every ecosystem: read as they are meant, linted, and checked against a host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.checker.check import check
from processors.errors import DocumentRefused
from processors.events.subject import Host, Provision, Subject
from processors.manifests import read_manifest
from processors.manifests.lint import lint
from processors.manifests.read import ecosystem_of, open_document
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix

FILE = Path(__file__).parents[2] / "data" / "field_manifests.yaml"
FIELD: list[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
NOON = 1_800_000_000_000
IDS = [f"{row['file']} {row['source']} on {row['host']}" for row in FIELD]


def host_of(row: dict[str, Any]) -> Host:
    name, version = row["host"].split("@", 1)
    return Host(name, version)


def provision(text: str) -> Provision:
    name, version = text.split("@", 1)
    return Provision(name, version)


def test_sixty_manifests_of_ten_ecosystems() -> None:
    """A lost row must not pass for a manifest that was read."""
    kinds = {ecosystem_of(row["file"], open_document(row["text"].encode(), row["file"])).name for row in FIELD}

    assert len(FIELD) >= 60
    assert len(kinds) >= 10
    assert "powerx" not in kinds


@pytest.mark.parametrize("row", FIELD, ids=IDS)
def test_a_manifest_of_the_field_is_read_as_it_is_meant(row: dict[str, Any]) -> None:
    """Its id, its version, and what it needs of other plugins."""
    manifest = read_manifest(row["text"].encode(), row["file"])

    assert (manifest.id, manifest.version) == (row["id"], row["version"])
    assert [f"{need.id} {need.range}".strip() for need in manifest.requires] == row.get("needs", [])
    assert manifest.host == row["host"].split("@")[0]


@pytest.mark.parametrize("row", FIELD, ids=IDS)
def test_a_manifest_of_the_field_is_judged_as_its_host_would(row: dict[str, Any]) -> None:
    """Nothing is blocked because a format is silent, or because a system reports itself in its own way."""
    head = {"undeclared": {"host": "block", "runtime": "warn", "matrix": "allow"}, "revision": "1"}
    hosts = {host_of(row).name: {"dialect": row["dialect"]}}
    matrix = Matrix.of([(parse_matrix(yaml.safe_dump({**head, "hosts": hosts})), NOON, NOON + 1)])
    subject = Subject(
        manifest=read_manifest(row["text"].encode(), row["file"]),
        host=host_of(row),
        runtimes=tuple(map(provision, row.get("runtimes", ()))),
    )

    report = check(subject, matrix, NOON, "sha256:0").report
    verdict = "BLOCK" if any(finding.blocks for finding in report.findings) else "ALLOW"

    assert verdict == row["verdict"], report.summary


@pytest.mark.parametrize("row", FIELD, ids=IDS)
def test_advice_is_such_as_the_format_can_follow(row: dict[str, Any]) -> None:
    """What to write instead is written as that file writes it."""
    root = open_document(row["text"].encode(), row["file"])
    ecosystem = ecosystem_of(row["file"], root)
    examples = (ecosystem.host_example, ecosystem.needs_example, ecosystem.runtime_example)

    for advice in lint(row["text"].encode(), row["file"]):
        key = advice.write.partition(":")[0]
        assert advice.write == "" or advice.write in examples or key in ecosystem.keys or key in ("min_core",)


ADVICE = [
    (
        "plugin.xml",
        '<idea-plugin><id>a</id><version>1</version><idea-version since-build="213.*"/></idea-plugin>',
        "a star has no place in `since`",
    ),
    (
        "plugin.json",
        '{"type": "app", "id": "a", "info": {"version": "%VERSION%"}, "dependencies": {"grafanaDependency": "*"}}',
        "placeholder",
    ),
    ("Chart.yaml", 'apiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: ">=1.25"\n', "v1.30.0-gke.100"),
    ("Chart.yaml", 'apiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersoin: ">=1.25-0"\n', "`kubeVersion`"),
    ("fabric.mod.json", '{"schemaVersion": 1, "id": "a", "version": "1", "depnds": {}}', "`depends`"),
    ("MANIFEST.MF", "Manifest-Version: 1.0\nShort-Name: a\nPlugin-Versoin: 1\n", "`Plugin-Version`"),
]


@pytest.mark.parametrize(("name", "text", "said"), ADVICE)
def test_what_the_field_gets_wrong_is_told(name: str, text: str, said: str) -> None:
    """A star in `since`, a placeholder, a bound without candidates, a typo."""
    assert any(said in advice.problem for advice in lint(text.encode(), name))


def test_a_library_chart_needs_no_host_range() -> None:
    """It is a part of other charts, and never installed."""
    chart = b"apiVersion: v2\nname: common\nversion: 2.31.0\ntype: library\n"

    assert lint(chart, "Chart.yaml") == ()


@pytest.mark.parametrize("ending", ["xml", "toml", "properties", "php", "json", "mf", "yaml"])
@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe", b"{", b"<", b"[" * 5_000, b"a = 1979-05-27T07:32:00Z"])
def test_no_file_of_any_ending_crashes_the_reader(ending: str, data: bytes) -> None:
    """It is read, or refused with a reason."""
    try:
        lint(data, f"file.{ending}")
    except DocumentRefused:
        return
