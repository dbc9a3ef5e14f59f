"""Where a reader of results stands, as text and back; and what it has missed."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.gateway import positions
from processors.gateway.live import Live
from processors.gateway.missed_results import MOST, TooFarBehind, refuse_too_far
from processors.stream.types import Inbound

offsets = st.integers(0, 10**15)
some_places = st.dictionaries(st.integers(0, 5000), offsets, min_size=1, max_size=50)


def result(partition: int, offset: int) -> Inbound:
    return Inbound("compat.results", partition, offset, 0, b"r", b"")


@given(some_places)
def test_a_place_is_read_as_it_was_written(place: dict[int, int]) -> None:
    assert positions.read(positions.text_of(place)) == place


@pytest.mark.parametrize(
    "text",
    ["", "3/77", "0:1,", "1:1,0:1", "0:1,0:2", "0:-1", "0:01", "0:1\r\nX-Evil: 1", "٣:1", "9" * 20_000, "0:1 "],
)
def test_what_no_gateway_has_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="place"):
        positions.read(text)


def test_a_partition_that_has_come_since_is_missing_as_a_whole() -> None:
    assert positions.behind({0: 5, 1: 9}, {0: 7, 1: 9, 2: 3}) == {0: (5, 7), 2: (0, 3)}


def test_another_replica_may_lag_a_little() -> None:
    """A reader that is ahead of it has missed nothing, and is sent nothing twice."""
    assert positions.behind({0: 9}, {0: 7}) == {}
    assert positions.has_seen({0: 9}, result(0, 8))
    assert not positions.has_seen({0: 9}, result(0, 9))
    refuse_too_far({0: 9}, {0: 7})


@pytest.mark.parametrize(
    ("place", "there"),
    [
        pytest.param({0: 0}, {0: MOST + 1}, id="away for too long"),
        pytest.param({0: 0, 1: 0}, {0: MOST // 2 + 1, 1: MOST // 2 + 1}, id="in all partitions together"),
        pytest.param({0: 5, 7: 5}, {0: 5}, id="a partition that is not there"),
        pytest.param({0: 10**15}, {0: 5}, id="a topic that was made anew"),
    ],
)
def test_who_cannot_go_on_without_a_gap_is_told(place: dict[int, int], there: dict[int, int]) -> None:
    with pytest.raises(TooFarBehind, match="begin anew"):
        refuse_too_far(place, there)


def test_results_that_are_read_again_are_not_streamed_again() -> None:
    """A reader that has lost its broker for a while begins a quarter of an hour before."""

    async def scene() -> None:
        live = Live()
        live.begin({0: 5, 1: 2})
        async with live.stream("ann") as queue:
            live.publish([result(0, 5), result(1, 2)])
            live.publish([result(0, 3), result(0, 5), result(0, 6), result(1, 1)])
            seen = [queue.get_nowait() for _ in range(queue.qsize())]
        assert [(one.partition, one.offset) for one in seen if one] == [(0, 5), (1, 2), (0, 6)]
        assert live.place == {0: 7, 1: 3}

    asyncio.run(scene())
