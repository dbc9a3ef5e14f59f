"""Which texts a question to the ledger may have: Postgres keeps none with a NUL or half a surrogate pair."""

from __future__ import annotations

from typing import Any

import pytest

from processors.errors import TextRefused
from processors.ledger.texts import refuse_unkept


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({}, id="none"),
        pytest.param({"plugin_id": "com.acme.crm", "limit": 50, "since": None}, id="plain"),
        pytest.param({"plugin_id": r"a\u0000b"}, id="six characters that only look like one"),
        pytest.param({"plugin_id": "a\U0001f600\ufffd\x1b"}, id="what is odd, and can be kept"),
        pytest.param([{"hash": b"\0\0", "frontier": memoryview(b"\0")}], id="bytes"),
    ],
)
def test_what_a_row_can_have_may_be_asked_for(parameters: Any) -> None:
    refuse_unkept(parameters)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        pytest.param({"plugin_id": "a\0b"}, "`a�b` has the character U+0000", id="a NUL"),
        pytest.param({"limit": 1, "approver": ["carol", "a\0b"]}, "`a�b` has the character U+0000", id="in a list"),
        pytest.param([{"id": "a"}, {"id": "\0"}], "U+0000", id="of several statements"),
        pytest.param(("a", "\udcff"), "`�` has the character U+DCFF", id="an argument that is no UTF-8"),
        pytest.param("é\ud800", "U+D800", id="half a pair"),
    ],
)
def test_a_text_that_no_row_can_have_is_refused_and_named(parameters: Any, named: str) -> None:
    with pytest.raises(TextRefused) as refused:
        refuse_unkept(parameters)
    assert named in str(refused.value)
    assert str(refused.value).endswith("leave it out")
