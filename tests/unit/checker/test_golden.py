"""What people read, word for word: one text for each finding code, and every view of a few.

`GUARD_GOLDEN=write pytest tests/unit/checker/test_golden.py` writes them anew; read what changed before you commit.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from examples.cases import BY_NAME

from processors.checker.check import check
from processors.checker.labelled_cases import LabelledCase
from processors.checker.views import html, markdown, text
from processors.events.report import Report
from processors.events.vocabulary import Code

DATA = Path(__file__).parents[2] / "data"
GOLDEN = DATA / "golden"
TOLD = {name: case for name, case in BY_NAME.items() if case.expected.findings}
IN_FULL = ("c-1-the-host-is-a-major-version-too-old", "several-things-at-once", "governance-overrides-a-finding")
DIGEST = "sha256:" + "0" * 64


def answer(case: LabelledCase) -> Report:
    return check(case.subject, case.matrix, case.now, DIGEST, case.policies).report


def agrees(name: str, said: str) -> None:
    path = GOLDEN / name
    if os.environ.get("GUARD_GOLDEN") == "write":
        path.write_text(said + "\n", "utf-8")
    assert said + "\n" == path.read_text("utf-8")


def test_every_finding_code_is_told() -> None:
    """Each code has a text that somebody has read."""
    told = {f.code for case in TOLD.values() for f in answer(case).findings}

    assert told == {*Code} - {Code.UNKNOWN, Code.GUARD_OFF}


@pytest.mark.parametrize("name", TOLD)
def test_the_sentences_are_as_they_were_read(name: str) -> None:
    """Summary, findings and ways out: what every view is made of."""
    report = answer(BY_NAME[name])
    ways = [f"> {remedy.sentence}" for remedy in report.remediations]
    note = [f"({report.remediation_note})"] if report.remediation_note else []

    agrees(
        f"{name}.txt", "\n".join([report.summary, "", *(f"- {f.sentence}" for f in report.findings), *ways, *note])
    )


@pytest.mark.parametrize("name", IN_FULL)
def test_every_view_is_as_it_was_read(name: str) -> None:
    """Text at 80 and 100 columns, Markdown and HTML."""
    report = answer(BY_NAME[name])

    agrees(f"{name}.80.txt", text.render(report, "R-1", width=80))
    agrees(f"{name}.100.txt", text.render(report, "R-1"))
    agrees(f"{name}.md", markdown.render(report, "R-1"))
    agrees(f"{name}.html", html.render(report, DIGEST, "R-1"))


def test_no_golden_text_is_left_over() -> None:
    """A text of a case that is gone would never be read again."""
    views = {f"{name}.{view}" for name in IN_FULL for view in ("80.txt", "100.txt", "md", "html")}

    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.txt" for name in TOLD} | views
