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


def test_dashboards_stand_under_one_heading() -> None:
    """Which tells them from pages of the console, whose names they may have."""
    page = FindingPage(title="X", code="X", parts=[])
    addresses = {name: f"https://metrics.example/{name}" for name in ("Exceptions", "Checks", "Ledger")}

    text = bytes(rendered(page, Frame(name="Ada", dashboards=addresses), None).body).decode()
    nav = text.partition('aria-labelledby="dashboards"')[2].partition("</nav>")[0]

    assert nav.count("Dashboard") == 1
    assert [f'href="{address}"' in nav for address in addresses.values()] == [True] * 3


def test_names_in_backticks_are_set_as_code_and_all_else_stays_text() -> None:
    hostile = "step `<b>` is for `x`, <script>"
    page = Trouble(title="X", detail=hostile, advice="a ` alone", back=())
    text = bytes(rendered(page, Frame(), None).body).decode()

    assert "step <code>&lt;b&gt;</code> is for <code>x</code>, &lt;script&gt;" in text
    assert "a ` alone" in text
