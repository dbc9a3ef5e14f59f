from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from processors.ledger.chain import GENESIS, Head, extend, leaf_of, pack, unpack

batches = st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=5), min_size=1, max_size=6)


@given(batches)
def test_hashes_do_not_depend_on_how_rows_were_batched(rows: list[list[bytes]]) -> None:
    """A restart cuts batches elsewhere; the chain of rows stays the same, only the tree of batches differs."""
    head, hashes = Head(), list[bytes]()
    for batch in rows:
        extension = extend(head, batch)
        head, hashes = extension.head, hashes + extension.hashes
    at_once = extend(Head(), [row for batch in rows for row in batch])

    assert at_once.hashes == hashes
    assert (at_once.head.sequence, at_once.head.hash) == (head.sequence, head.hash)


def test_the_first_hash_is_what_the_page_says() -> None:
    """The formula in the module's docstring, written out."""
    leaf = sha256(b"\x00" + b"row").digest()
    expected = sha256(b"\x01" + GENESIS + (1).to_bytes(8, "big") + leaf).digest()

    assert extend(Head(), [b"row"]).hashes == [expected]
    assert leaf_of(b"row") == leaf


@given(batches)
def test_the_head_counts_its_rows_and_batches(rows: list[list[bytes]]) -> None:
    """Sequences have no gaps, and each batch begins where the last one ended."""
    head = Head()
    for batch in rows:
        extension = extend(head, batch)
        assert (extension.batch.first, extension.batch.last) == (head.sequence + 1, head.sequence + len(batch))
        head = extension.head

    assert (head.sequence, head.batches) == (sum(map(len, rows)), len(rows))
    assert unpack(pack(head.frontier)) == head.frontier
