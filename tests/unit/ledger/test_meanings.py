"""What is wrong with a ledger is told to people who do not know how one is made."""

from __future__ import annotations

import pytest

from processors.ledger.meanings import MEANINGS, in_words
from processors.ledger.verify import Inconsistency, Kind


@pytest.mark.parametrize("kind", Kind)
def test_every_inconsistency_has_a_meaning_without_the_words_of_its_making(kind: Kind) -> None:
    meaning = MEANINGS[kind]
    assert meaning.what
    assert meaning.so.endswith(".")
    assert str(kind) not in meaning.what + meaning.so
    assert not {"hash", "merkle", "sequence"} & set(f"{meaning.what} {meaning.so}".lower().split())


def test_what_is_wrong_in_one_way_is_told_once() -> None:
    gap, changed = (
        Inconsistency(kind, "compat.results", 0, n, "x") for n, kind in enumerate((Kind.GAP, Kind.BAD_HASH))
    )
    told = in_words([gap, changed, gap])
    assert [(fault.kind, len(fault.places)) for fault in told] == [(Kind.GAP, 2), (Kind.BAD_HASH, 1)]
    assert in_words([]) == []
