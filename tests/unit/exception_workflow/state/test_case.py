"""What is read back from the changelog is what was written, or is unreadable; nothing in between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from examples.exceptions import BOB, NEVER_ASKED, NOON, asks, confirms, policy, says
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import EventUnreadable
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.transitions import decide
from processors.exception_workflow.state.case import ExceptionCase, PendingDigest, decode, encode


def denied() -> ExceptionCase:
    case = decide(NEVER_ASKED, asks(), policy()).after
    case = decide(case, confirms(case, NOON), policy()).after
    return decide(case, says(BOB, Verb.DENY), policy()).after


CASE = denied()
DIGEST = PendingDigest(3, "security", "blocked", "INFO", 1, 2, ("one", "two"))
WRITTEN: dict[str, Any] = json.loads(encode(CASE))


@pytest.mark.parametrize("held", [CASE, NEVER_ASKED, DIGEST])
def test_what_is_written_is_read(held: ExceptionCase | PendingDigest) -> None:
    assert decode(encode(held), held.subject if isinstance(held, ExceptionCase) else b"") == held


def test_what_an_earlier_version_did_not_write_has_its_default() -> None:
    assert decode('{"exception_id":"x"}') == ExceptionCase("x")
    assert decode('{"exception_id":"x","band":null,"uses":null,"later":[1]}') == ExceptionCase("x")


@pytest.mark.parametrize(
    "document",
    [
        *("", "null", "[]", '"x"', "5", "{}", "[" * 100_000, '{"uses":' + "9" * 5_000 + "}"),
        *('{"digest":5}', '{"digest":[]}', '{"digest":[1,"a","b","c",1,1,"text"]}', '{"digest":{"a":1}}'),
    ],
    ids=lambda document: document[:12],
)
def test_another_document_is_unreadable(document: str) -> None:
    with pytest.raises(EventUnreadable) as refused:
        decode(document)
    assert refused.value.stage == "document"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("status", "NOPE"), ("status", []), ("status", {}), ("band", 5)),
        *(("scope", 5), ("scope", ["a"]), ("scope", ["a"] * 7), ("scope", [1] * 6), ("scope", {})),
        *(("requester", ["a", "b", "c"]), ("requester", "ab"), ("exception_id", 5), ("summary", ["a"])),
        *(
            ("round", "x"),
            ("round", 1.5),
            ("round", True),
            ("changed_at", "y"),
            ("extended", 1),
            ("valid_until", "z"),
        ),
        *(("approvals", [["a"]]), ("approvals", ["abc"]), ("approvals", [["s", ["i", 5], 1]]), ("codes", "text")),
        *(("codes", [5]), ("executions", [5]), ("spent", [["jti", "until"]]), ("past", [[1, "NOPE", None, 1]])),
        *(("parked", [["NOPE", "p", None, 1, "c"]]), ("before", [1]), ("before", "x")),
    ],
)
def test_a_field_of_another_form_is_unreadable(field: str, value: Any) -> None:
    with pytest.raises(EventUnreadable):
        decode(json.dumps({**WRITTEN, field: value}))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*WRITTEN, "digest"]), anything, max_size=3))
def test_any_change_of_a_state_is_a_state_or_is_unreadable(changed: dict[str, Any]) -> None:
    """And a state can be written again."""
    try:
        held = decode(json.dumps({**WRITTEN, **changed}))
    except EventUnreadable:
        return
    assert decode(encode(held)) == held
