"""What an export hands to other programs."""

from __future__ import annotations

import pytest

from processors.ledger.export import inert


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    """Spreadsheets run them, and ask at most once."""
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("value", ["1.5.0", "a=b", "", None, -3, 7, "sha256:ab"])
def test_any_other_cell_is_as_it_was(value: object) -> None:
    assert inert(value) == value
