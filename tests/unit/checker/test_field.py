"""Situations out of public bug reports, with what is right in verdict, plan, names and what must not be said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from examples.field import CASES, FILE, MISSING, assert_right, files_of, subject_of
from typer.testing import CliRunner

from processors.checker.check import check
from processors.cli.root import app
from processors.events.report import Report
from processors.events.report_record import report_from_record
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=MISSING)

NOON = 1_795_521_600_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_command_line_is_right(case: dict[str, Any], tmp_path: Path) -> None:
    """The whole answer as JSON, shown again in every view."""
    assert_right(case, answered(case, tmp_path))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_pure_check_is_right(case: dict[str, Any], tmp_path: Path) -> None:
    """With a subject as a client makes it."""
    document = parse_matrix(case["matrix"])
    matrix = Matrix.of([(document, NOON, NOON + document.expires_after)])

    assert_right(case, check(subject_of(case, tmp_path), matrix, NOON, "sha256:0").report)


def test_the_shortest_reason_is_told_where_nothing_helps(tmp_path: Path) -> None:
    """The chain of facts, each with who says so, the one that nothing can meet last."""
    (case,) = (case for case in CASES if case["name"] == "linear-derivation")
    links = answered(case, tmp_path).derivation

    assert [(link.finding.subject, link.version, link.finding.object) for link in links] == [
        ("root", "1.0.0", "baz"),
        ("root", "1.0.0", "foo"),
        ("foo", "1.0.0", "bar"),
        ("bar", "2.0.0", "baz"),
    ]


def answered(case: dict[str, Any], folder: Path) -> Report:
    (folder / "matrix.yaml").write_text(case["matrix"], "utf-8")
    arguments = [*files_of(case, folder), "--matrix", str(folder / "matrix.yaml"), "--output", "json"]
    done = CliRunner().invoke(app, ["check", *arguments])
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    return report_from_record(json.loads(done.stdout))
