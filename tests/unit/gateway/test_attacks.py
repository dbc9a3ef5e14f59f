"""Every attack on the edge that is listed has the test that the list names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", (TESTS / "hostile" / "EDGE.md").read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_an_attack_that_is_listed_has_its_test(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text("utf-8"), re.M)
