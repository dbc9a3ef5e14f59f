"""What comes from outside is shown, and never obeyed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from examples.questions import HOUR, NOON, document

from processors.checker.check import check
from processors.checker.views import html, markdown, sarif, text
from processors.checker.views.outline import Step, WayOut, outline
from processors.events.report import Report
from processors.events.subject import Host, Manifest, Requirement, Subject
from processors.events.vocabulary import Code
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


def test_a_way_out_may_have_a_link_that_does_it_and_no_foreign_markup() -> None:
    said = outline(report_about("a"))._replace(ways_out=(WayOut("Install a 2.0.0."), WayOut("Remove b.")))

    shown = html.ways_out(said, (Step("Check 2.0.0 now", f"/check?x={HOSTILE}"), Step("", "")))

    assert shown.count("<a ") == 1
    assert "Check 2.0.0 now</a>" in shown
    assert "<script" not in shown


def test_markdown_holds_no_foreign_markup() -> None:
    """No heading, link, table, code or tag out of an id."""
    page = markdown.render(report_about(HOSTILE), "R-1")

    assert "\n# big" not in page
    assert r"\<script\>" in page
    assert r"\[x\](http" in page


@pytest.mark.parametrize("view", [text.render, markdown.render, lambda report: html.render(report, "sha256:0")])
def test_no_view_holds_what_a_terminal_obeys(view: Callable[[Report], str]) -> None:
    """Reports are read with `cat` and `less -R` as well, in whatever format they were written."""
    shown = view(helped_by("see \x1b]8;;http://x\x07here\x1b[0m\u202e\x9b2J"))
    shown += view(report_about(HOSTILE + "\x9b\u2066"))

    assert not {*shown} & {*"\x1b\x07\x9b\u202e\u2066"}


def helped_by(help: str) -> Report:
    """A report whose gravest finding has that help."""
    report = report_about("a")
    first, *others = report.findings
    return replace(report, findings=(replace(first, help=help), *others))


@pytest.mark.parametrize(
    ("help", "in_markdown", "in_html"),
    [
        ("compat-guard explain X", "`compat-guard explain X`", "<code>compat-guard explain X</code>"),
        ("https://a.b/c?d=e&f", "<https://a.b/c?d=e&f>", '<a href="https://a.b/c?d=e&amp;f">'),
        ('https://a.b/"><b>', '`https://a.b/"><b>`', '<a href="https://a.b/&quot;&gt;&lt;b&gt;">'),
        ("https://a.b/`# c", r"https://a.b/\`\# c", '<a href="https://a.b/`# c">'),
        ("a\n# b", r"a \# b", "<code>a\n# b</code>"),
        ("javascript:alert(1)", "`javascript:alert(1)`", "<code>javascript:alert(1)</code>"),
    ],
)
def test_help_is_a_command_or_a_link(help: str, in_markdown: str, in_html: str) -> None:
    """A matrix row may name any text as its help; only an address becomes a link."""
    assert f"- More on this: {in_markdown}\n" in markdown.render(helped_by(help), "R-1")
    assert f"<p>More on this: {in_html}" in html.render(helped_by(help), "sha256:0", "R-1")


@pytest.mark.parametrize(("code", "offered"), [(Code.HOST_TOO_OLD, True), (Code.CONSTRAINT_INVALID, False)])
def test_an_exception_is_offered_where_one_can_be_had(code: Code, offered: bool) -> None:
    """Nobody can approve what nobody can read."""
    report = report_about("a")
    blocked = replace(report, findings=tuple(replace(f, code=code) for f in report.findings))

    assert ("exception request R-1" in text.render(blocked, "R-1")) is offered


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
def test_a_wall_of_findings_is_three_sentences_and_the_names_of_the_rest(render) -> None:
    """Nobody has to ask for another format to learn what else is missing."""
    report = report_about("a", needs=20)
    said = render(report, "R-1")

    assert "17 more not installed: " in said
    missing = [f.object for f in report.findings if f.code is Code.DEPENDENCY_MISSING]
    assert (len(missing), [id for id in missing if id not in said]) == (20, [])


def test_every_view_leads_to_the_page_about_a_finding_where_a_gateway_is_known() -> None:
    """A command is for whoever has the command line; a browser wants an address."""
    report = report_about("a")
    page = "https://guard.example/findings/DEPENDENCY_MISSING"

    for view in (
        text.render(report, "R-1", explained_at="https://guard.example/"),
        markdown.render(report, "R-1", explained_at="https://guard.example"),
        html.render(report, "sha256:0", "R-1", explained_at="https://guard.example"),
        sarif.render(report, "sha256:0", explained_at="https://guard.example"),
    ):
        assert page in view
        assert "compat-guard explain" not in view


def test_html_shows_ways_out_before_findings_and_names_the_request() -> None:
    """Whoever was blocked reads first what helps, and can say which request it was."""
    report = replace(report_about("a"), remediation_note="install b first")
    page = html.render(report, "sha256:0", "R-1")

    assert page.index("What helps") < page.index("Blocks: Dependencies")
    assert "request R-1" in page


def test_html_sets_what_is_quoted_as_code() -> None:
    """Backticks are for Markdown; a hostile pair of them holds no markup either."""
    page = html.render(replace(report_about("a"), summary="run `x <b>` now, not ` alone"), "sha256:0")

    assert "run <code>x &lt;b&gt;</code> now, not ` alone" in page
