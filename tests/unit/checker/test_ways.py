"""A path is as long as the way, up to a limit; of a longer one its ends are named, and how many lie between."""

from __future__ import annotations

import pytest

from processors.checker.ways import MOST_AT_AN_END, Way, shortened


def way(length: int) -> Way:
    found = Way.begin("p0")
    for n in range(1, length):
        found = found.to(f"p{n}")
    return found


@pytest.mark.parametrize("length", [1, 2, MOST_AT_AN_END, MOST_AT_AN_END + 1, 2 * MOST_AT_AN_END])
def test_an_ordinary_way_is_named_in_full(length: int) -> None:
    assert way(length).path() == tuple(f"p{n}" for n in range(length))


@pytest.mark.parametrize("left_out", [1, 2, 10_000])
def test_of_a_long_way_both_ends_are_named(left_out: int) -> None:
    length = 2 * MOST_AT_AN_END + left_out
    ids = [f"p{n}" for n in range(length)]

    path = way(length).path()

    assert path == (*ids[:MOST_AT_AN_END], f"{left_out} more", *ids[-MOST_AT_AN_END:])
    assert shortened(path, 2) == ("p0", "p1", f"{length - 4} more", *ids[-2:])


def test_a_path_is_shortened_only_where_it_has_to_be() -> None:
    assert shortened(way(4).path(), 2) == ("p0", "p1", "p2", "p3")
    assert shortened(way(5).path(), 2) == ("p0", "p1", "1 more", "p3", "p4")
