"""Where a group starts, and what it says where it cannot."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from processors.errors import OffsetsLost
from processors.stream.loop.starting_points import starting_points
from processors.stream.loop.transaction import At

ONE, TWO, OTHER = ("in", 1), ("in", 2), ("other", 0)


def nothing(partitions: Collection[At]) -> Mapping[At, int]:
    return {}


def way_on(partitions: Collection[At], to: str) -> str:
    return f"let {sorted(partitions)} go to the {to}"


def test_a_group_continues_where_it_committed_or_begins_where_the_log_does() -> None:
    assert starting_points("checker", {ONE: (3, 9), TWO: (3, 9)}, {ONE: 5}, nothing, way_on) == {ONE: 5, TWO: 3}


@pytest.mark.parametrize("committed", [3, 9])
def test_both_ends_of_a_log_are_in_it(committed: int) -> None:
    assert starting_points("checker", {ONE: (3, 9)}, {ONE: committed}, nothing, way_on) == {ONE: committed}


def test_all_partitions_whose_records_expired_are_told_at_once() -> None:
    """Else an operator meets them one restart after the other."""
    with pytest.raises(OffsetsLost) as lost:
        starting_points(
            "checker", {TWO: (7, 9), ONE: (5, 9), OTHER: (0, 9)}, {ONE: 2, TWO: 6, OTHER: 1}, nothing, way_on
        )

    assert str(lost.value) == (
        "checker stands at offset 2 of in/1, and the log begins at 5: 3 offsets expired unread; the same "
        "holds for in/2. To continue without them, let [('in', 1), ('in', 2)] go to the earliest"
    )


def test_a_log_that_ends_before_the_group_has_lost_records() -> None:
    with pytest.raises(OffsetsLost, match=r"stands at offset 12 of in/1, and the log ends at 9: .* to the latest"):
        starting_points("checker", {ONE: (0, 9)}, {ONE: 12}, nothing, way_on)


@pytest.mark.parametrize(("given_up", "start"), [(5, 5), (9, 5), (2**62, 5)])
def test_what_was_given_up_is_passed_and_nothing_that_the_log_still_has(given_up: int, start: int) -> None:
    """Whoever notes a loss can hide no record by it, and stop no group."""
    assert starting_points("ledger", {ONE: (5, 20)}, {ONE: 2}, lambda _: {ONE: given_up}, way_on) == {ONE: start}
    assert starting_points("ledger", {ONE: (0, 20)}, {ONE: 2}, lambda _: {ONE: given_up}, way_on) == {ONE: 2}


def test_what_expired_after_a_loss_was_given_up_is_told() -> None:
    with pytest.raises(OffsetsLost, match=r"stands at offset 4 of in/1, and the log begins at 5: 1 offset expired"):
        starting_points("ledger", {ONE: (5, 20)}, {ONE: 2}, lambda _: {ONE: 4}, way_on)
