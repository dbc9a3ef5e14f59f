"""Reports of three causes and more, as an administrator reads them at two in the morning: in one reading.

`GUARD_GOLDEN=write pytest tests/unit/checker/test_nights.py` writes them anew; read them aloud before you commit.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from processors.checker.check import check
from processors.checker.labelled_cases import read_cases
from processors.checker.views import html, markdown, text
from processors.events.report import Report
from processors.events.vocabulary import Code

FOLDER = Path(__file__).parents[2] / "data" / "nights"
NIGHTS = {case.name: case for case in read_cases([FOLDER / "cases.yaml"])}
DIGEST = "sha256:" + "0" * 64

every_night = pytest.mark.parametrize("name", NIGHTS)


def reported(name: str) -> Report:
    case = NIGHTS[name]
    return check(case.subject, case.matrix, case.now, DIGEST, case.policies).report


def test_there_are_ten_nights() -> None:
    assert len(NIGHTS) >= 10
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(NIGHTS)


@every_night
def test_the_report_is_as_it_was_read(name: str) -> None:
    said = text.render(reported(name), "R-1") + "\n"
    path = FOLDER / f"{name}.txt"
    if os.environ.get("GUARD_GOLDEN") == "write":
        path.write_text(said, "utf-8")

    assert said == path.read_text("utf-8")


@every_night
def test_whatever_is_wrong_is_named_in_every_view(name: str) -> None:
    """Nobody has to ask for JSON to learn which plugins it is about."""
    report = reported(name)
    views = (text.render(report), markdown.render(report), html.render(report, DIGEST))

    assert len(report.findings) >= 2
    about = {f.subject if f.code is Code.LIFECYCLE_SUNSET else f.object for f in report.findings}
    assert [(name, view) for name in about for view in views if name not in view] == []


@every_night
def test_no_report_fills_more_than_two_screens(name: str) -> None:
    """Sixty lines, at a hundred columns."""
    assert len(text.render(reported(name), "R-1").splitlines()) <= 60
