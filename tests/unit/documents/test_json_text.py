"""Strict JSON: what Python's own reader takes silently is refused."""

import pytest

from processors.documents import json_text
from processors.errors import DocumentRefused


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param('{"a": 1, "a": 2}', "occurs twice", id="duplicate key"),
        pytest.param('{"a": NaN}', "NaN", id="NaN"),
        pytest.param("[Infinity]", "Infinity", id="infinity"),
        pytest.param("[" * 100_000, "nesting", id="100,000 open brackets"),
        pytest.param("9" * 100_000, "digits", id="a number of 100,000 digits"),
        pytest.param('{"a": "\\ud800"}', "half a character", id="half a surrogate pair"),
        pytest.param('{"a": "\\u0000"}', "control", id="NUL"),
        pytest.param('{"a": [1, "\\ud800"]}', "^a: .*half a character", id="half a pair in a list"),
        pytest.param(
            '{"a": [{"b": [["\\ud800"]]}]}', "^b: .*half a character", id="half a pair in a list of lists"
        ),
        pytest.param('["\\ud800"]', "half a character", id="half a pair in a list at the top"),
        pytest.param('"\\ud800"', "half a character", id="half a pair alone"),
        pytest.param("{", "not JSON", id="unfinished"),
        pytest.param(b"\xff", "UTF-8", id="not UTF-8"),
    ],
)
def test_dangerous_documents_are_refused(text: str | bytes, complaint: str) -> None:
    """Refused with a reason."""
    with pytest.raises(DocumentRefused, match=complaint):
        json_text.load(text)


def test_a_document_over_the_limit_is_refused_unread() -> None:
    """The limit is in bytes."""
    with pytest.raises(DocumentRefused, match="at most 10 bytes"):
        json_text.load("[" + " " * 10 + "]", limit=10)


def test_numbers_keep_how_they_were_written() -> None:
    """So that a message can show a version as its author wrote it."""
    assert json_text.load("[1.10]")[0].text == "1.10"
