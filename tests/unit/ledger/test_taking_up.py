"""What may be taken up, and what somebody has to say for it."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from processors.errors import SettingsInvalid
from processors.ledger.losses import Loss, Truncation, misfits
from processors.ledger.origins import Change, Origin
from processors.ledger.taking_up import Obstacle, confirmed

BLOCKS = Change("compat.blocks", Origin("c1", "old"), Origin("c1", "new"))
RESULTS = Change("compat.results", Origin("c1", "old"), Origin("c1", "new"))
MOVED = Change("compat.results", Origin("c0", "old"), Origin("c1", "new"))
LOST = Loss("compat.results", 3, 10, 25)
CUT = Truncation("compat.blocks", 0, 10, 7)


@pytest.mark.parametrize(
    ("topics", "cluster", "everything", "taken"),
    [
        ((), None, True, [BLOCKS, RESULTS]),
        (("compat.results",), None, False, [RESULTS]),
        (("compat.results",), "c1", False, [RESULTS]),
    ],
)
def test_what_was_named_is_taken_up(
    topics: Collection[str], cluster: str | None, everything: bool, taken: list[Change]
) -> None:
    assert confirmed([BLOCKS, RESULTS], topics, cluster, everything=everything) == taken


def test_what_was_lost_is_given_up_by_the_name_of_its_topic() -> None:
    assert confirmed([CUT, LOST], ("compat.results",), None, everything=False) == [LOST]
    assert confirmed([CUT, LOST], (), None, everything=True) == [CUT, LOST]


def test_what_has_moved_is_taken_up_by_the_id_of_its_cluster() -> None:
    assert confirmed([MOVED], (), "c1", everything=False) == [MOVED]
    assert confirmed([], (), None, everything=False) == []


@pytest.mark.parametrize(
    ("changed", "topics", "cluster", "everything", "why"),
    [
        ([BLOCKS, RESULTS], (), None, False, "nothing was taken up; name topics with --topic"),
        ([BLOCKS, RESULTS], (), "c1", False, "nothing was taken up; name topics with --topic"),
        ([BLOCKS], ("compat.results",), None, False, "`compat.results` is not among what the ledger cannot file"),
        ([MOVED], (), None, True, "this is cluster c1, and not the one .* add --cluster c1"),
        ([MOVED], ("compat.results",), None, False, "add --cluster c1"),
        ([MOVED], (), "c9", False, "--cluster says c9, and this is cluster c1"),
        ([LOST], (), None, False, "nothing was taken up; name topics with --topic"),
        ([MOVED, LOST], (), "c1", False, "nothing was taken up; name topics with --topic"),
    ],
)
def test_a_shell_that_points_elsewhere_takes_nothing_up(
    changed: list[Obstacle], topics: Collection[str], cluster: str | None, everything: bool, why: str
) -> None:
    """It cannot be undone."""
    with pytest.raises(SettingsInvalid, match=why):
        confirmed(changed, topics, cluster, everything=everything)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 10, []),
        (10, 10, []),
        (10, 99, []),
        (11, 99, [Loss("compat.results", 3, 10, 11)]),
        (25, 25, [Loss("compat.results", 3, 10, 25)]),
        (0, 9, [Truncation("compat.results", 3, 10, 9)]),
        (0, 0, [Truncation("compat.results", 3, 10, 0)]),
    ],
)
def test_a_chain_continues_only_within_its_log(low: int, high: int, found: list[Loss | Truncation]) -> None:
    assert misfits({("compat.results", 3): 10}, {("compat.results", 3): (low, high)}, {}) == found


def test_a_log_that_is_not_there_is_no_misfit() -> None:
    assert misfits({("compat.results", 3): 10}, {}, {}) == []


@pytest.mark.parametrize(
    ("noted", "found"), [(20, [Loss("compat.results", 3, 20, 25)]), (25, []), (2**62, []), (3, [LOST])]
)
def test_a_loss_is_found_behind_what_was_given_up(noted: int, found: list[Loss]) -> None:
    at = ("compat.results", 3)
    assert misfits({at: 10}, {at: (25, 99)}, {at: noted}) == found
    assert misfits({at: 10}, {at: (0, 99)}, {at: noted}) == []
