"""Which partitions are ready, and what goes to the changelog."""

import pytest
from examples.sealing import SEALS

from processors.stream.loop.restore import Restored
from processors.stream.loop.state import KeyedState, changelog_records, complete
from processors.stream.types import StateSpec, Write

SPEC = StateSpec("log", encode=str.encode, decode=bytes.decode)


@pytest.mark.parametrize(
    ("owned", "ready"),
    [
        pytest.param([("a", 0), ("b", 0)], {0}, id="both topics"),
        pytest.param([("a", 0)], set(), id="one of two"),
        pytest.param([("a", 0), ("b", 1)], set(), id="different numbers"),
        pytest.param([("a", 2)], {2}, id="the other topic has no such partition"),
        pytest.param([], set(), id="nothing"),
    ],
)
def test_a_partition_is_ready_once_all_its_topics_are_owned(owned: list[tuple[str, int]], ready: set[int]) -> None:
    """Until then another process may still write the state that they share."""
    assert complete(owned, {"a": 3, "b": 2}) == ready


def test_without_shared_state_every_partition_is_ready() -> None:
    assert complete([("a", 0), ("b", 1)], {}) == {0, 1}


def test_a_changelog_holds_the_last_value_of_each_key() -> None:
    """One record a key and partition, a deletion as a tombstone, each on its own partition."""
    writes = [
        Write(0, "k", "1"),
        Write(1, "k", "2"),
        Write(0, "k", "3"),
        Write(1, "gone", "4"),
        Write(1, "gone", None),
    ]

    records = {(r.partition, r.key, r.value) for r in changelog_records(SPEC, writes, SEALS, KeyedState())}

    assert records == {(0, b"k", b"3"), (1, b"k", b"2"), (1, b"gone", None)}


def test_state_shows_what_was_committed_and_lets_nobody_change_it() -> None:
    """Partitions do not see each other; one that is not owned looks empty."""
    state = KeyedState()
    state.take(0, Restored({"k": "1"}))
    state.apply([Write(0, "l", "2"), Write(0, "k", None)])

    assert dict(state.of(0)) == {"l": "2"}
    assert dict(state.of(1)) == {}
    with pytest.raises(TypeError):
        state.of(0)["k"] = "3"  # type: ignore[index]


def test_a_partition_taken_away_leaves_nothing() -> None:
    state = KeyedState()
    state.take(0, Restored({"k": "1"}))
    state.drop(0)

    assert len(state) == 0
