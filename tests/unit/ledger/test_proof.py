"""A proof comes from somebody who wants to be believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.errors import DocumentRefused
from processors.ledger.anchors import anchor
from processors.ledger.chain import Batch, Head, batch_leaf, leaf_of
from processors.ledger.keys import new_keys
from processors.ledger.proof import LARGEST_PROOF, check, prove, read_proof

KEYS = new_keys()
ROW = (
    json.dumps({"event_id": "e", "kind": "k", "partition": 0, "topic": "t"}, separators=(",", ":")).encode()
    + b"\n{}"
)
BATCH = Batch(0, 0, leaf_of(ROW))
ANCHOR = anchor("t", 0, Head(1, b"h" * 32), 1, 1, KEYS.anchors[-1]).record()


def a_proof() -> dict[str, Any]:
    return prove(ROW, 0, [leaf_of(ROW)], [BATCH], 0, ANCHOR)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"row": 1, "row": 2}', id="a key twice"),
        pytest.param(b'{"row": {"topic": "a", "topic": "b"}}', id="a key twice further in"),
        pytest.param(b'{"sequence": NaN}', id="no number"),
        pytest.param(b"[" * 100_000, id="depth without end"),
        pytest.param(b'{"sequence": 1' + b"0" * 5000 + b"}", id="a number without end"),
        pytest.param(b"{}" + b" " * LARGEST_PROOF, id="too large"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_what_two_readers_could_read_as_two_things_is_no_proof(text: bytes) -> None:
    with pytest.raises(DocumentRefused, match="not an inclusion proof"):
        read_proof(text)


@pytest.mark.parametrize("where", ["payload", "format"])
def test_half_a_character_is_refused_and_no_traceback(where: str) -> None:
    proof = {**a_proof(), where: "\ud800"}

    with pytest.raises(DocumentRefused):
        check(read_proof(json.dumps(proof).encode()), KEYS.public)


@given(
    st.sampled_from(["row", "payload", "sequence", "batch", "path_to_batch", "path_to_anchor", "anchor", "format"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
)
def test_whatever_stands_in_a_field_is_refused_or_found_wrong(field: str, value: Any) -> None:
    """It is an answer in either case, and never a traceback."""
    proof = {**a_proof(), field: value}
    try:
        wrong = check(read_proof(json.dumps(proof).encode()), KEYS.public)
    except DocumentRefused:
        return
    assert wrong or proof == a_proof()


@pytest.mark.parametrize("count", [1, 2**63, 10**4000], ids=["small", "of 64 bits", "without end"])
def test_a_huge_tree_is_an_answer_as_well(count: int) -> None:
    proof = a_proof()
    proof["batch"] = {**proof["batch"], "last": count}
    proof["anchor"] = {**proof["anchor"], "batches": count + 1}
    proof["path_to_batch"] = proof["path_to_anchor"] = [batch_leaf(BATCH).hex()] * 5000
    try:
        assert check(proof, KEYS.public)
    except DocumentRefused:
        assert count > 2**63
