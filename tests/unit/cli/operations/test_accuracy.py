"""Whether the accuracy that is printed is the accuracy that there is."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from processors.cli.root import app
from processors.errors import DocumentRefused

RIGHT = [
    {"dialect": "npm", "range": ">=1.8.0", "version": "1.9.0", "satisfies": True},
    {"dialect": "npm", "range": ">=2.0.0", "version": "1.9.0", "satisfies": False},
    {"dialect": "masterminds", "range": ">=1.0, <3.0", "version": "1.9.0", "satisfies": True},
]


def run(folder: Path, rows: list[object]) -> tuple[int, dict[str, object]]:
    corpus = folder / "rows.jsonl"
    corpus.write_text("\n".join(map(json.dumps, rows)))
    said = CliRunner().invoke(app, ["accuracy", str(corpus), "--output", "json"])
    return said.exit_code, json.loads(said.stdout)


def test_right_labels_are_answered_right(tmp_path: Path) -> None:
    """Each row goes through the whole engine in its own dialect."""
    code, said = run(tmp_path, list(RIGHT))

    assert code == 0
    assert said["all"] == {"total": 3, "right": 3, "false_allows": 0, "false_blocks": 0, "accuracy": 1.0}


def test_wrong_labels_are_counted_as_what_they_are(tmp_path: Path) -> None:
    """An allow that should be a block is another mistake than a block that should not."""
    wrong = [{**RIGHT[0], "satisfies": False}, {**RIGHT[1], "satisfies": True}]
    code, said = run(tmp_path, [*RIGHT, *wrong])

    assert code == 1
    assert said["all"] == {"total": 5, "right": 3, "false_allows": 1, "false_blocks": 1, "accuracy": 0.6}
    assert len(said["wrong"]) == 2


def test_the_cases_are_judged_where_no_corpus_is_given() -> None:
    """So that the number can be had from a checkout alone."""
    said = CliRunner().invoke(app, ["accuracy"])

    assert said.exit_code == 0
    assert "no corpus was given" in said.stderr


def test_a_row_that_is_none_is_refused(tmp_path: Path) -> None:
    """A corpus that cannot be read proves nothing."""
    corpus = tmp_path / "rows.jsonl"
    corpus.write_text('{"dialect": "npm"}\n')
    said = CliRunner().invoke(app, ["accuracy", str(corpus)])

    assert isinstance(said.exception, DocumentRefused)
    assert str(said.exception).startswith(f"{corpus}: line 1: expected an object of ")
