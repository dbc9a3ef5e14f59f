"""Whoever asks decides how long a question is, and never how much memory the guard takes."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from processors.checker.memo import Answered, Memo
from processors.events.vocabulary import Band, Verdict
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Policies
from processors.versions import parse_range

MATRIX = Matrix.EMPTY
MEGABYTE = 1024 * 1024


def answered(subject: bytes, matrix: Matrix, policies: Policies, now: int) -> Answered:
    """An answer as large as its question, which is what a report that names every finding comes to."""
    return Answered(
        "a", "1", "h", "1", (), Verdict.ALLOW, Band.NONE, 0, "", (), True, b"", bytes(len(subject)), "", None
    )


@pytest.mark.parametrize("size", [700, 650_000], ids=["ordinary questions", "the largest questions"])
def test_a_memo_holds_so_many_bytes_whatever_the_size_of_a_question(size: int) -> None:
    """It counted entries: 300 questions of 650 kB added 234 MB, and full it would have been 26 GB."""
    memo = Memo(answered, kept=8 * MEGABYTE)
    tracemalloc.start()
    try:
        for n in range(64 * MEGABYTE // size):
            memo.answer(n.to_bytes(8, "big") + bytes(size - 8), MATRIX, NO_POLICIES, 0)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < 2 * 8 * MEGABYTE * 1.3
    assert memo.held() > 8 * MEGABYTE


def test_what_was_asked_lately_is_still_known() -> None:
    """A bound that forgets everything would be one, too."""
    asked: list[bytes] = []

    def counted(subject: bytes, matrix: Matrix, policies: Policies, now: int) -> Answered:
        asked.append(subject)
        return answered(subject, matrix, policies, now)

    memo = Memo(counted, kept=100_000)
    for n in range(1000):
        memo.answer(b"often", MATRIX, NO_POLICIES, 0)
        memo.answer(b"%d" % n * 100, MATRIX, NO_POLICIES, 0)

    assert asked.count(b"often") == 1


def test_ranges_that_were_read_take_a_bounded_place() -> None:
    """A range of 60 alternatives was remembered as readily as `^1.0.0`, 32,768 times over in each dialect."""
    tracemalloc.start()
    try:
        for n in range(300):
            parse_range(f"{n} || " + " || ".join(f"{k}.{n % 10}" for k in range(25)))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < MEGABYTE
