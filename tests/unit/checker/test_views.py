"""What comes from outside is shown, and never obeyed."""

from __future__ import annotations

import pytest
from examples.questions import HOUR, NOON, document

from processors.checker.check import check
from processors.checker.views import html, markdown, text
from processors.events.report import Report
from processors.events.subject import Host, Manifest, Requirement, Subject
from processors.matrix.merged import Matrix

HOSTILE = "<script>alert(1)</script>|[x](http://x)`\x1b[2J\n# big"


def report_about(id: str, needs: int = 1) -> Report:
    requires = tuple(Requirement(f"{id}{n}", ">=1.0.0") for n in range(needs))
    subject = Subject(
        manifest=Manifest(id=id, version="1.0.0", host_range="*", requires=requires), host=Host("h", "1.0.0")
    )
    return check(subject, Matrix.of([(document("governance", (), ()), NOON, NOON + HOUR)]), NOON, "sha256:0").report


def test_html_holds_no_foreign_markup() -> None:
    """Text stays text, in the title too."""
    page = html.render(report_about(HOSTILE), "sha256:0", "R-1")

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_markdown_holds_no_foreign_markup() -> None:
    """No heading, link, table, code or tag out of an id."""
    page = markdown.render(report_about(HOSTILE), "R-1")

    assert "\n# big" not in page
    assert r"\<script\>" in page
    assert r"\[x\](http" in page


def test_a_terminal_obeys_no_id() -> None:
    """Escape sequences of an id are not passed on; colours of our own are."""
    assert "\x1b" not in text.render(report_about(HOSTILE), "R-1")
    assert "\x1b[2J" not in text.render(report_about(HOSTILE), "R-1", colour=True)


@pytest.mark.parametrize("width", [80, 100])
def test_text_keeps_within_its_width(width: int) -> None:
    """But for the headline."""
    _, *lines = text.render(report_about("a"), "R-1", width=width).splitlines()

    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("render", [text.render, markdown.render])
def test_a_wall_of_findings_is_three_lines_and_a_number(render) -> None:
    """The JSON view has them all."""
    assert "... and 17 more" in render(report_about("a", needs=20), "R-1")
