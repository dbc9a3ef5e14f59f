"""What an export hands to other programs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from processors.ledger import export
from processors.ledger.export import inert
from processors.ledger.queries import SELECTED


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    """Spreadsheets run them, and ask at most once."""
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("value", ["1.5.0", "a=b", "", None, -3, 7, "sha256:ab"])
def test_any_other_cell_is_as_it_was(value: object) -> None:
    assert inert(value) == value


def test_no_column_of_an_exported_row_is_a_formula(tmp_path: Path) -> None:
    """Whatever its sender wrote into it."""
    hostile = dict.fromkeys(SELECTED, "=cmd|' /C calc'!A0") | {"finding_codes": ["=1+1"]}
    export._csv(tmp_path / "events.csv", iter([hostile]))

    (row,) = csv.DictReader((tmp_path / "events.csv").read_text().splitlines())
    assert row.keys() == set(SELECTED)
    assert {value[:2] for value in row.values()} == {"'="}
