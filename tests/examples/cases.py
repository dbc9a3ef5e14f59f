"""The labelled cases of tests/data/cases, read once for all who try them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from processors.checker.labelled_cases import read_cases

FOLDER: Final = Path(__file__).parents[1] / "data" / "cases"
CASES: Final = tuple(read_cases(FOLDER.glob("*.yaml")))
BY_NAME: Final = {case.name: case for case in CASES}
