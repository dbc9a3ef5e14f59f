"""What holds for every page: nothing that is not escaped, no file from elsewhere, no page that says nothing."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from processors.checker.findings import sections
from processors.gateway.console.findings import FindingPage, parts_of
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.routing import Back, Trouble

CONSOLE = Path(str(files("processors.gateway.console")))
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))


@pytest.mark.parametrize("code", sections())
def test_every_finding_code_is_explained_in_full(code: str) -> None:
    assert [name for name, _ in parts_of(sections()[code])] == [
        "Means",
        "Why it matters",
        "What to do",
        "How it counts",
    ]


def test_a_page_escapes_what_comes_from_outside() -> None:
    hostile = "<script>alert(1)</script>\" onload='x'"
    page = Trouble(title=hostile, detail=hostile, advice=hostile, back=[Back(hostile, hostile)])
    text = bytes(rendered(page, Frame(name=hostile, at="/", dashboards={hostile: "/"}), None).body).decode()

    assert "<script>alert" not in text
    assert '" onload=' not in text


def test_a_page_lets_nothing_in() -> None:
    headers = rendered(FindingPage(title="X", code="X", parts=[]), Frame(), None).headers
    policy = headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_trusts_nothing(template: Path) -> None:
    """No filter that switches escaping off, no style or script in the page, no address of another site."""
    text = template.read_text("utf-8")

    assert "|safe" not in text.replace(" ", "")
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=\"/static/)| on\w+=|https?://", text)


def test_the_script_is_small_and_makes_no_markup() -> None:
    script = (CONSOLE / "static" / "console.mjs").read_text("utf-8")

    assert len(script.splitlines()) <= 200
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)


def test_a_dashboard_is_called_one() -> None:
    """Its own name may be that of a page of the console."""
    page = FindingPage(title="X", code="X", parts=[])
    frame = Frame(name="Ada", dashboards={"Exceptions": "https://metrics.example/exceptions"})

    text = bytes(rendered(page, frame, None).body).decode()

    assert ">Dashboard: Exceptions</a>" in text
    assert ">Exceptions</a>" not in text


def test_names_in_backticks_are_set_as_code_and_all_else_stays_text() -> None:
    hostile = "step `<b>` is for `x`, <script>"
    page = Trouble(title="X", detail=hostile, advice="a ` alone", back=())
    text = bytes(rendered(page, Frame(), None).body).decode()

    assert "step <code>&lt;b&gt;</code> is for <code>x</code>, &lt;script&gt;" in text
    assert "a ` alone" in text
