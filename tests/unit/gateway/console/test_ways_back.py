"""From a page that says no, people get back to the case that they came from."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from processors.gateway.console.login import NotLoggedIn
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.routing import ways_back


def back(path: str, query: str = "", *, sees_all: bool = True) -> list[str]:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    request = Request(scope)
    return [way.address for way in ways_back(request, "", sees_all=sees_all)]


@pytest.mark.parametrize(
    ("path", "query", "ways"),
    [
        ("/exceptions/e-1/decisions/d-1", "", ["/exceptions/e-1"]),
        ("/exceptions/e-1/decision", "", ["/exceptions/e-1"]),
        ("/requests/r-1/exception", "", ["/requests/r-1"]),
        ("/check", "again=r-1&exception=e-1", ["/exceptions/e-1", "/requests/r-1"]),
        ("/check", "again=..%2F..%2F%2Fattacker.example", ["/requests/..%2F..%2F%2Fattacker.example"]),
        ("/check", "", []),
        ("/exceptions/e-1", "", []),
    ],
)
def test_a_form_leads_back_to_its_case(path: str, query: str, ways: list[str]) -> None:
    assert back(path, query) == ways


def test_nobody_is_led_to_an_exception_that_may_not_be_theirs_to_see() -> None:
    """Whoever may install under it goes back to the report."""
    assert back("/check", "again=r-1&exception=e-1", sees_all=False) == ["/requests/r-1"]


@pytest.mark.parametrize("again", ["", "/exceptions/e-1/decisions/d-1"])
def test_a_signature_of_somebody_else_leads_back_to_the_exception(again: str) -> None:
    """And, while the decision is there, to signing it."""
    page = NotLoggedIn(title="Not signed", why="not you", signing=True, back="/exceptions/e-1", again=again)
    text = bytes(rendered(page, Frame(name="Petra"), None).body).decode()

    assert 'href="/exceptions/e-1">Back to the exception' in text
    assert ("Sign it again" in text) is bool(again)
    assert 'href="/exceptions"' not in text.partition("<main")[2]
