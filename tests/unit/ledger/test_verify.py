"""What the verifier says of a chain whose rows are as they were, and whose head or batches are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processors.ledger.chain import GENESIS, Head, extend
from processors.ledger.verify import Chain, Kind, StoredRow, verify

ROWS = [b"row %d" % number for number in range(6)]


def chain() -> tuple[Chain, list[StoredRow]]:
    """Six rows that were filed in two batches."""
    first = extend(Head(), ROWS[:4])
    second = extend(first.head, ROWS[4:])
    hashes = [*first.hashes, *second.hashes]
    rows = [StoredRow(n, 10 * n, row, hashes[n - 1]) for n, row in enumerate(ROWS, 1)]
    return Chain(topic="t", partition=0, head=second.head, batches=(first.batch, second.batch)), rows


def found(stated: Chain, rows: list[StoredRow]) -> set[Kind]:
    return {one.kind for one in verify(stated, rows)}


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert found(*chain()) == set()


@pytest.mark.parametrize(
    ("altered", "kind"),
    [
        pytest.param({"hash": GENESIS}, Kind.BAD_HASH, id="another hash"),
        pytest.param({"sequence": 7}, Kind.TAIL_TRUNCATED, id="a row more"),
        pytest.param({"batches": 3}, Kind.BAD_ROOT, id="a batch more"),
        pytest.param({"frontier": ()}, Kind.BAD_ROOT, id="another root"),
    ],
)
def test_a_head_that_the_rows_do_not_lead_to_is_found(altered: dict[str, object], kind: Kind) -> None:
    """The next anchor would sign it."""
    whole, rows = chain()

    assert found(replace(whole, head=replace(whole.head, **altered)), rows) == {kind}
