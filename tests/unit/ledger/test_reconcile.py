from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from examples.ledgers import rows_of
from hypothesis import given
from hypothesis import strategies as st

from processors.ledger.anchors import Noted, anchor, anchored_offsets
from processors.ledger.chain import Head, extend, leaf_of
from processors.ledger.keys import new_keys
from processors.ledger.reconcile import Comparison, Filed, Kind, Placed, compare_states, fill, gaps
from processors.ledger.records import Row, canonical_row
from processors.ledger.samples import traffic
from processors.stream.types import Inbound

ROWS = [row for row in rows_of([s for n in range(30) for s in traffic(n)]) if row.topic == "compat.results"]
CHAIN = extend(Head(), map(canonical_row, ROWS))
PLACED = [
    Placed(number, row.offset, hash_, leaf_of(canonical_row(row)))
    for number, (row, hash_) in enumerate(zip(ROWS, CHAIN.hashes, strict=True), 1)
]


@given(st.sets(st.integers(1, len(ROWS)), min_size=1))
def test_every_hole_is_filled_with_the_rows_that_were_there(missing: set[int]) -> None:
    """Whatever was deleted, begin, middle or end: the chain proves the rows made anew, and only those."""
    rest = [placed for placed in PLACED if placed.sequence not in missing]

    filled: dict[int, bytes] = {}
    for gap in gaps(rest, len(ROWS), CHAIN.head.hash):
        candidates = [row for row in ROWS if gap.after_offset < row.offset < gap.until_offset]
        places = fill(gap, candidates)
        assert places is not None
        filled |= dict(places)
    assert filled == {number: CHAIN.hashes[number - 1] for number in missing}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda rows: rows[:-1], id="one too few"),
        pytest.param(lambda rows: rows[::-1], id="another order"),
        pytest.param(lambda rows: [*rows[:-1], rows[0]], id="another row"),
    ],
)
def test_other_rows_do_not_fill_a_hole(spoil: Callable[[list[Row]], list[Row]]) -> None:
    """What the chain does not prove is not put into it."""
    rest = [placed for placed in PLACED if placed.sequence not in (10, 11, 12)]
    (gap,) = gaps(rest, len(ROWS), CHAIN.head.hash)

    assert fill(gap, spoil(ROWS[9:12])) is None


def a_record(offset: int, value: bytes = b"v") -> Inbound:
    return Inbound("t", 0, offset, 0, b"k", value)


def test_every_difference_between_topic_and_ledger_has_its_kind() -> None:
    """Missing, different, unfounded, behind: each is said of the record that it is about."""
    digest = sha256(b"v").digest()
    comparison = Comparison({0: Filed(5, {0: digest, 2: b"other", 3: digest})}, compacted=False)
    records = [a_record(0), a_record(1), a_record(2), a_record(4), a_record(5), a_record(6)]

    found = [d for record in records for d in comparison.compare(record)] + list(comparison.end("t"))

    assert [(d.kind, d.offset) for d in found] == [
        (Kind.MISSING, 1),
        (Kind.DIFFERENT, 2),
        (Kind.MISSING, 4),
        (Kind.BEHIND, 5),
        (Kind.UNFOUNDED, 3),
    ]
    assert [record.offset for record in comparison.missing] == [1, 4]


def test_a_compacted_topic_may_have_lost_what_the_ledger_keeps() -> None:
    """Compaction is no difference."""
    digest = sha256(b"v").digest()
    comparison = Comparison({0: Filed(3, {0: digest, 1: digest, 2: digest})}, compacted=True)
    found = [d for offset in (0, 2) for d in comparison.compare(a_record(offset))]

    assert found + list(comparison.end("t")) == []


def test_what_left_with_its_month_is_not_missing() -> None:
    """A record may stay on a compacted topic for longer than its row in the ledger."""
    comparison = Comparison({0: Filed(9, {}, pruned=3)}, compacted=True)

    found = [d for offset in (3, 4) for d in comparison.compare(a_record(offset))]

    assert [(d.kind, d.offset) for d in found] == [(Kind.MISSING, 4)]


def test_a_ledger_that_is_behind_its_own_anchors_is_missing_rows() -> None:
    """The sink has been there: somebody has cut the chain, or restored it from an old dump. The records are the
    sink's to file, in their places: no repair may file them late."""
    comparison = Comparison({0: Filed(2, {}, anchored=4)}, compacted=False)

    found = [d for offset in (3, 4) for d in comparison.compare(a_record(offset))] + list(comparison.end("t"))

    assert [(d.kind, d.offset) for d in found] == [(Kind.BEHIND, 3), (Kind.MISSING, 2)]
    assert comparison.missing == []


def test_only_an_anchor_that_is_signed_says_where_a_chain_has_been() -> None:
    """Or whoever writes to the topic could cry wolf."""
    keys = new_keys()
    anchors = [anchor("t", 0, Head(n, b"h" * 32), n, n, keys.anchors[-1]).record() for n in (5, 7)]
    forged = {**anchors[1], "next_offset": 900}

    noted = [Noted(n, event) for n, event in enumerate([*anchors, forged])]
    assert anchored_offsets(noted, keys.public) == {("t", 0): 7}


def test_a_state_that_the_topic_does_not_say_is_a_difference() -> None:
    """An exception that the ledger holds for approved, and the workflow for revoked."""
    newest = {"x": (0, 9, "REVOKED"), "y": (0, 3, "APPROVED")}

    found = list(compare_states("t", newest, {"x": "APPROVED", "y": "APPROVED"}))

    assert [(d.kind, d.offset) for d in found] == [(Kind.STATE, 9)]
