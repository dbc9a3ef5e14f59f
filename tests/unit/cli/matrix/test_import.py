"""`compat-guard matrix import`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from processors.cli.matrix.commands import app
from processors.matrix.text import load_matrix

CENTER = 'updateCenter.post(\n{"core": {"version": "2.479"}, "plugins": {"git": {"name": "git", \
"version": "5.6.0", "requiredCore": "2.462.3"}}}\n);'


def test_a_catalogue_is_written_as_a_source(tmp_path: Path) -> None:
    """Jenkins publishes a call with the JSON as its argument; what is written loads as it is."""
    (tmp_path / "update-center.json").write_text(CENTER)

    done = CliRunner().invoke(
        app, ["import", "jenkins", str(tmp_path / "update-center.json"), "--source", "center"]
    )

    assert done.exit_code == 0, done.output
    (tmp_path / "source.json").write_text(done.stdout)
    document = load_matrix(tmp_path / "source.json")
    assert (document.source, [r.plugin for r in document.releases]) == ("center", ["git"])
    assert json.loads(done.stdout)["hosts"] == {"jenkins": {"dialect": "minimum", "releases": ["2.479"]}}


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    """An empty source would withdraw what was known."""
    (tmp_path / "index.yaml").write_text("apiVersion: v1\n")

    done = CliRunner().invoke(app, ["import", "helm", str(tmp_path / "index.yaml")])

    assert done.exit_code != 0
    assert "index.yaml" in str(done.exception)
