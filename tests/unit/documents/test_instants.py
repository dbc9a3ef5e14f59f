"""Every number of milliseconds is a date, also one that no calendar has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.documents.instants import LATEST, utc


@pytest.mark.parametrize(
    ("at", "date"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_700_000_000_123, datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)),
        (LATEST, datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)),
        (LATEST + 1, datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)),
        (2**62, datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)),
        (-1, datetime(1970, 1, 1, tzinfo=UTC)),
        (-(2**62), datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_outside_the_calendar_is_its_nearest_end(at: int, date: datetime) -> None:
    assert utc(at) == date


@given(st.integers(0, LATEST))
def test_an_instant_of_the_calendar_is_exact(at: int) -> None:
    assert round(utc(at).timestamp() * 1000) == at
