"""The checklist promises only what the check, the workflow and `manifest lint` really do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from processors.events.vocabulary import Code
from processors.exception_workflow.rules.reasons import Reason
from processors.manifests.lint import lint

CHECKLIST = (Path(__file__).parents[3] / "config" / "compatibility_checklist.md").read_text("utf-8")
WHOLE = {
    "id": "id: com.acme.sync",
    "version": 'version: "1.5.0"',
    "corex_version": 'corex_version: ">=2.0.0 <3.0.0"',
    "runtime": 'runtime: {kind: go, version: ">=1.21", entry: ./bin/plugin}',
}
"""A manifest that leaves out nothing which lint asks for."""


def rows(title: str) -> list[list[str]]:
    section = CHECKLIST.partition(f"## {title}\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| [ ]")]
    return [[cell.strip() for cell in row] for row in cells]


def named(cell: str) -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z_]+)`", cell))


STATED = rows("What a plugin states")
LINTED = [row[3].strip("`") for row in STATED if row[3] != "-"]


def test_every_finding_stands_in_the_checklist() -> None:
    """A finding that nobody was told of beforehand is a surprise at the gate."""
    told = {code for row in STATED for code in named(row[2])}
    told |= {code for row in rows("What a release needs") for code in named(row[1])}

    assert told == {code.value for code in Code} - {"UNKNOWN"}


def test_every_refusal_of_the_checklist_is_one_of_the_workflow() -> None:
    points = rows("What an exception requires")

    assert len(points) > 8
    for row in points:
        assert named(row[1])
        assert named(row[1]) <= {reason.value for reason in Reason}


@pytest.mark.parametrize("left_out", LINTED)
def test_lint_asks_for_what_the_checklist_says_it_asks_for(left_out: str) -> None:
    """Each of them is asked for when it is left out, and only then."""
    manifest = "\n".join(text for key, text in WHOLE.items() if key != left_out).encode()

    assert [advice.path for advice in lint(manifest, "plugin.yaml")] == [left_out]


def test_a_manifest_that_states_all_of_it_passes_lint() -> None:
    assert set(LINTED) == set(WHOLE)
    assert lint("\n".join(WHOLE.values()).encode(), "plugin.yaml") == ()
