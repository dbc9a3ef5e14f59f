"""A form that is sent again says what was typed, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from processors.gateway.console import check
from processors.gateway.console.forms import LONGEST_RESENT, resendable
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.routing import Resend, Trouble

HOSTILE = '"><script>alert(1)</script>\n'


@pytest.mark.parametrize(
    ("fields", "again"),
    [
        pytest.param({"host": ["corex@1.9.0"]}, [("host", "corex@1.9.0")], id="a text"),
        pytest.param({"finding": ["a", "b"]}, [("finding", "a"), ("finding", "b")], id="several of one name"),
        pytest.param({"x_file": [("", b"")], "x": ["id: a"]}, [("x", "id: a")], id="no file chosen"),
        pytest.param(
            {"x": [""], "x_file": [("p.yaml", b"id: a")]}, [("x", "id: a"), ("x_name", "p.yaml")], id="a file"
        ),
        pytest.param({"x_file": [("p.yaml", b"\xff\xfe")]}, None, id="a file that is no text"),
        pytest.param({"x_file": ["a text"]}, None, id="a text in place of a file"),
        pytest.param({"matrix": [("m.yaml", b"matrix: []")]}, None, id="a file without a field for its text"),
        pytest.param({"risk": ["x" * (LONGEST_RESENT + 1)]}, None, id="too long"),
    ],
)
def test_a_form_is_sent_again_as_texts(fields: dict[str, Any], again: list[tuple[str, str]] | None) -> None:
    assert resendable(fields) == again


def test_what_is_sent_again_is_text_wherever_it_stands() -> None:
    resend = Resend("/check", [(HOSTILE, HOSTILE)])
    page = Trouble(title="X", detail="x", advice="x", back=(), resend=resend)
    text = bytes(rendered(page, Frame(), None).body).decode()

    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert "<script>alert" not in text


def test_a_question_that_is_sent_again_as_text_is_the_same_question() -> None:
    """A browser ends each line of a text with two characters, whatever the file had."""
    manifest = b"id: com.acme.crm\nversion: 1.5.0\n"
    sent = {"host": ["corex@1.9.0"], "key": ["k"], "manifest": [""], "manifest_file": [("plugin.yaml", manifest)]}
    again: dict[str, Any] = {}
    for name, text in resendable(sent) or []:
        again.setdefault(name, []).append(text.replace("\n", "\r\n"))

    first, second = (check._question(fields, None)[0] for fields in (sent, again))  # pyright: ignore[reportPrivateUsage]
    assert second == first
