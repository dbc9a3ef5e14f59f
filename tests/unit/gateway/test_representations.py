"""`Accept` is read as RFC 9110 has it: the most specific range decides, and q=0 excludes."""

from __future__ import annotations

import pytest

from processors.gateway.representations import FORMS, negotiated


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "text/html"),
        ("text/*", "text/markdown"),
        ("text/html, application/json;q=0.5", "text/html"),
        ("application/json;q=0, */*", "text/markdown"),
        ("TEXT/HTML", "text/html"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("nonsense", None),
        ("text/html;q=many", None),
        (",,;;", None),
    ],
)
def test_the_form_that_is_wanted_most_is_given(accept: str, form: str | None) -> None:
    assert negotiated(accept, tuple(FORMS)) == form
