"""Positions are moved past what is no record, and past nothing else."""

from __future__ import annotations

from processors.stream.loop.gaps import Gaps

ONE, TWO = ("in", 1), ("in", 2)


def test_a_position_that_a_gap_begins_at_is_moved_past_it() -> None:
    gaps = Gaps()
    gaps.note(ONE, 7, 8)

    assert gaps.passed({ONE: 7}, {}) == {ONE: 8}
    assert gaps.passed({}, {ONE: 7, TWO: 3}) == {ONE: 8}, "an owned partition moves along"
    assert gaps.passed({TWO: 4}, {ONE: 7, TWO: 3}) == {ONE: 8, TWO: 4}


def test_a_position_before_the_gap_stays() -> None:
    """Its records were left for later, or are read again after an abort."""
    gaps = Gaps()
    gaps.note(ONE, 7, 8)

    assert gaps.passed({ONE: 5}, {ONE: 7}) == {ONE: 5}
    assert gaps.passed({}, {ONE: 5}) == {}
    assert gaps.passed({ONE: 8}, {ONE: 7}) == {ONE: 8}


def test_a_partition_that_is_not_owned_is_not_moved() -> None:
    gaps = Gaps()
    gaps.note(ONE, 7, 8)

    assert gaps.passed({}, {}) == {}


def test_the_end_of_a_log_behind_its_last_record_is_no_gap() -> None:
    gaps = Gaps()
    gaps.note(ONE, 7, 7)

    assert gaps.ahead({ONE: 7}) == {}
