"""Canonical JSON: one text for one value, whoever asks and whatever wrote it before."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.documents.canonical import canonical, canonical_with
from processors.events.vocabulary import Verdict

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_text_is_that_of_sorted_compact_json(value: Any) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(values)
def test_a_text_reads_back_as_its_value_and_is_written_again_alike(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x00\xff", '"00ff"'),
        ({"b": 1, "a": (1, None)}, '{"a":[1,null],"b":1}'),
        ({"\U0001f600": 1, "\uffff": 2}, '{"\uffff":2,"\U0001f600":1}'),
        (Verdict.BLOCK, '"BLOCK"'),
        ('\x00\x1f\x7f\n"\\/', '"\\u0000\\u001f\x7f\\n\\"\\\\/"'),
        (2**64, "18446744073709551616"),
    ],
)
def test_what_events_hold_has_one_text(value: object, text: str) -> None:
    assert canonical(value) == text


@pytest.mark.parametrize("value", [date(2026, 1, 1), {1, 2}, object()])
def test_what_no_event_holds_has_none(value: object) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


def test_a_lone_surrogate_is_kept_for_whoever_encodes_it_to_refuse() -> None:
    assert canonical("\ud800") == '"\ud800"'


def test_deep_nesting_is_written_as_far_as_python_goes() -> None:
    value: object = []
    for _ in range(400):
        value = [value]
    assert canonical(value) == "[" * 401 + "]" * 401


def test_a_field_whose_text_is_there_already_stands_where_it_would_stand() -> None:
    record, field = {"z": 1, "a": "b"}, {"y": [1, 2]}
    assert canonical_with(record, "m", canonical(field)) == canonical({**record, "m": field})
