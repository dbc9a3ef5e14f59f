"""`Accept` is read as RFC 9110 has it: the most specific range decides, and q=0 excludes."""

from __future__ import annotations

import re

import pytest
from starlette.requests import Request

from processors.events.results import Result
from processors.gateway.representations import FORMS, negotiated, response


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


@pytest.mark.parametrize("digest", ["\u65e5\u672c", "a\r\nSet-Cookie: x=1", '"', "sha256:ab"])
def test_a_tag_is_ascii_whatever_digest_somebody_wrote(digest: str) -> None:
    request = Request({"type": "http", "method": "GET", "headers": []})
    tag = response(Result({"report_digest": digest}), "application/json", request).headers["etag"]

    assert re.fullmatch(r'"[\w:%.-]+"', tag, re.ASCII)
    known = Request({"type": "http", "method": "GET", "headers": [(b"if-none-match", tag.encode())]})
    assert response(Result({"report_digest": digest}), "application/json", known).status_code == 304
    assert digest != "sha256:ab" or tag == '"sha256:ab"'
