"""What real implementations say about generated rows, and about rows from real plugins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processors.errors import RangeInvalid, Refused, VersionInvalid
from processors.versions import Dialect, satisfies

ROOT = Path(__file__).parents[3]
JUDGED = sorted((ROOT / "tests" / "data" / "versions").glob("*.jsonl"))
CORPUS = ROOT.parent / "shared" / "corpus" / "ranges.jsonl"


def verdict(text: str, version: str, dialect: Dialect) -> bool | str:
    try:
        return satisfies(text, version, dialect)
    except RangeInvalid:
        return "range"
    except VersionInvalid:
        return "version"


@pytest.mark.parametrize("file", JUDGED, ids=lambda file: file.stem)
def test_we_agree_with_the_reference(file: Path) -> None:
    """Every row is read, refused and judged as the reference of its dialect did."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    dialect = Dialect(file.stem)

    assert len(rows) >= 300
    assert [row for row in rows if verdict(row["range"], row["version"], dialect) != row["expected"]] == []


def test_there_are_judged_rows_for_five_dialects() -> None:
    """A lost file must not pass for agreement."""
    assert {file.stem for file in JUDGED} == {"npm", "npm-prerelease", "masterminds", "pep440", "maven"}


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of real plugins is not beside this checkout")
def test_we_agree_on_every_row_of_the_corpus() -> None:
    """Ranges of real plugins of nine ecosystems, judged by their own implementations."""
    rows = [json.loads(line) for line in CORPUS.read_text().splitlines()]

    def found(row: dict[str, str]) -> bool | None:
        try:
            return satisfies(row["range"], row["version"], Dialect(row["dialect"]))
        except Refused:
            return None

    assert [row for row in rows if found(row) is not row["satisfies"]] == []
