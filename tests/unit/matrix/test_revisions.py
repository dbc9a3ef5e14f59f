"""Which revision is older, as far as their names tell it."""

import pytest

from processors.matrix.revisions import precedes


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [
        ("2026.11-1", "2026.11-2", True),
        ("2026.11-9", "2026.11-10", True),
        ("2026.11-10", "2026.11-9", False),
        ("2026.11", "2026.11-1", True),
        ("2026.11-1", "2026.11-1", False),
        ("", "2026.11-1", False),
        ("2026.11-1", "", False),
        ("main-abc", "2026.11-1", False),
        ("a1f", "b2c", False),
    ],
)
def test_numbers_count_as_numbers_and_nothing_is_guessed(one: str, other: str, older: bool) -> None:
    """Where names say nothing of an order, nobody is asked."""
    assert precedes(one, other) is older
