"""The page of measurements says which goals are missed, and why."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/bench` runs from the root of the project."""
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[3]), *sys.path])


def test_every_obstacle_belongs_to_a_goal() -> None:
    from tests.bench.page import COMPARED, OBSTACLES

    assert OBSTACLES.keys() <= {(name, against) for name, against, _ in COMPARED}


@pytest.mark.parametrize(
    ("ratio", "goal", "met"),
    [(0.7, "0.7", True), (0.69, "0.7", False), (1.1, "1.1 at most", True), (1.11, "1.1 at most", False)],
)
def test_a_goal_is_reached_or_missed(ratio: float, goal: str, met: bool) -> None:
    from tests.bench.page import meets

    assert meets(ratio, goal) is met


def test_what_stands_in_the_way_is_said_of_missed_goals_only(tmp_path: Path) -> None:
    from tests.bench.figures import Figures
    from tests.bench.machine import of_this_machine
    from tests.bench.page import OBSTACLES, write_page

    figures = Figures()
    for name, rate in (("raw", 100.0), ("codec", 100.0), ("checker-known-subjects", 90.0)):
        figures.add(name, "records/s", rate)
    figures.add("checker-new-subjects", "records/s", 10.0)
    write_page(tmp_path, figures.all, of_this_machine())

    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert "| `checker-new-subjects` / `codec` | 0.10 | 0.6 |" in page
    assert OBSTACLES["checker-new-subjects", "codec"] in page
    assert OBSTACLES["checker-known-subjects", "raw"] not in page
