"""What the page of the matrix says of a source, and of what it takes to be answered at all."""

from __future__ import annotations

import re
from typing import Any

import pytest

from processors.gateway.console.matrix import Freshness, _page, _standing  # pyright: ignore[reportPrivateUsage]
from processors.gateway.console.rendering import Frame, rendered
from processors.matrix.lint import Notice
from processors.staleness.freshness import Level

SHOWN = (Level.FRESH, Level.AGEING, Level.EXPIRED, Level.AHEAD)
"""Levels that a source has which is there."""


def source(level: Level) -> dict[str, Any]:
    return {"source": "vendor", "level": level, "revision": "2026.11-1", "age_hours": 50.4, "used_percent": 30,
            "expires_at": "2099-01-01T00:00:00.000Z"}  # fmt: skip


def text(page: Any) -> str:
    return bytes(rendered(page, Frame(name="rita"), None).body).decode()


def shown(*levels: Level, missing: tuple[str, ...] = ()) -> str:
    standings = [_standing(source(level)) for level in levels]
    return text(Freshness(title="Compatibility matrix", standings=standings, missing=missing, most=1))


@pytest.mark.parametrize("level", SHOWN)
def test_a_source_counts_only_where_it_does(level: Level) -> None:
    effect = _standing(source(level)).effect
    assert effect.startswith("it counts") is (level is Level.FRESH)
    assert f'class="status {level}"' in shown(level)


def test_a_required_source_that_nobody_published_is_told_first() -> None:
    """All others may be fresh, and every request is blocked all the same."""
    assert re.search(
        r"Every request is blocked:</strong> governance is required", shown(Level.FRESH, missing=("governance",))
    )
    assert "Every request is blocked" not in shown(Level.FRESH)


def test_an_age_is_told_as_people_say_it() -> None:
    assert 'data-label="Age">2 days<br>' in shown(Level.FRESH)
    assert " left</div>" in shown(Level.FRESH)


def test_a_matrix_that_cannot_be_read_is_not_said_to_change_anything() -> None:
    page = text(_page("x.yaml", None, [Notice("", "expected a mapping", is_error=True)], 7))
    assert "<h1>It must not be published</h1>" in page
    assert "What it would change" not in page
