from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ledger.retention import LEAST_DAYS, Month, plan

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@given(st.integers(-1000, 365), st.integers(0, 364))
def test_nothing_younger_than_365_days_ever_leaves(keep_days: int, age: int) -> None:
    """Whatever retention is told, 364 days old is too young."""
    youngest = days_ago(age)
    steps = plan([Month(f"{youngest:%Y_%m}", 1, youngest)], NOW, keep_days)

    assert [step.action for step in steps] == ["keep"]


@pytest.mark.parametrize(
    ("month", "youngest", "keep_days", "action"),
    [
        pytest.param("2025_05", datetime(2025, 5, 31, tzinfo=UTC), 365, "detach", id="a month over a year old"),
        pytest.param("2025_06", datetime(2025, 6, 1, tzinfo=UTC), 365, "keep", id="its last days are too young"),
        pytest.param("2025_05", datetime(2025, 5, 31, tzinfo=UTC), 500, "keep", id="told to keep longer"),
        pytest.param("2025_05", datetime(2025, 7, 1, tzinfo=UTC), 365, "keep", id="a row younger than its month"),
        pytest.param("2024_12", None, 365, "detach", id="an empty December"),
    ],
)
def test_a_month_leaves_when_all_of_it_is_old(
    month: str, youngest: datetime | None, keep_days: int, action: str
) -> None:
    """Both the month's end and its youngest row must lie behind the limit."""
    assert [step.action for step in plan([Month(month, 1, youngest)], NOW, keep_days)] == [action]


def test_a_month_waits_for_the_elder_ones() -> None:
    """Chains are cut from the front only."""
    elder = Month("2024_01", 1, days_ago(10))
    steps = plan([Month("2024_02", 1, days_ago(800)), elder], NOW, LEAST_DAYS)

    assert [step.action for step in steps] == ["keep", "keep"]


@pytest.mark.parametrize(("rested", "action"), [(6, "keep"), (7, "drop"), (8, "drop")])
def test_a_detached_month_rests_for_a_week(rested: int, action: str) -> None:
    """Somebody may miss something."""
    month = Month("2024_02", 1, days_ago(800), detached=days_ago(rested))

    assert [step.action for step in plan([month], NOW, LEAST_DAYS)] == [action]


@pytest.mark.parametrize(
    ("month", "why"),
    [
        pytest.param(Month("2026_06", 3, NOW), "holds rows younger than 2025-06-15", id="young rows"),
        pytest.param(Month("2026_08", 0, None), "is empty, and too young: it ends after 2025-06-15", id="empty"),
        pytest.param(
            Month("2025_06", 1, datetime(2025, 6, 1, tzinfo=UTC)),
            "too young: it ends after 2025-06-15",
            id="old rows",
        ),
        pytest.param(Month("2025_04", 0, None), "is empty, and ended before 2025-06-15", id="empty and old"),
        pytest.param(Month("2025_04", 1, days_ago(400)), "all rows are older than 2025-06-15", id="old"),
    ],
)
def test_the_reason_says_nothing_of_rows_that_are_not_there(month: Month, why: str) -> None:
    """The months ahead are empty."""
    assert [step.why for step in plan([month], NOW, LEAST_DAYS)] == [why]
