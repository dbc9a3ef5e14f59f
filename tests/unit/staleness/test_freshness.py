"""When a source counts as ageing, expired, missing or silent, and what of it is news."""

from collections.abc import Mapping

import pytest
from examples.matrices import HOUR, NOON, a_document, a_rule
from hypothesis import given
from hypothesis import strategies as st

from processors.matrix.fold import MOST_AHEAD
from processors.matrix.merged import Matrix, Source
from processors.staleness.freshness import (
    REMEMBERED,
    WHOLE,
    Change,
    Known,
    Level,
    changes,
    is_gap,
    is_news,
    level,
    refreshed,
    usual_interval,
    warns_at,
)
from processors.staleness.words import notice

DAY = 24 * HOUR


def a_matrix(**issued: int) -> Matrix:
    """Sources that live for a day, by the hour of their issue before noon."""
    return Matrix.of(
        [
            (a_document(a_rule(), source=name), NOON - hours * HOUR, NOON - hours * HOUR + DAY)
            for name, hours in issued.items()
        ]
    )


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(0, Level.FRESH, id="just issued"),
        pytest.param(DAY * 80 // 100 - 1, Level.FRESH, id="a moment before the warning"),
        pytest.param(DAY * 80 // 100, Level.AGEING, id="exactly at the warning"),
        pytest.param(DAY - 1, Level.AGEING, id="a moment before its end"),
        pytest.param(DAY, Level.EXPIRED, id="exactly at its end, as the checker has it"),
        pytest.param(-MOST_AHEAD, Level.FRESH, id="issued by a clock that is a little ahead"),
        pytest.param(-MOST_AHEAD - 1, Level.AHEAD, id="issued in the future"),
    ],
)
def test_a_source_ages_with_its_allowed_age(age: int, expected: Level) -> None:
    """80 percent of the time between issue and expiry is when people are warned."""
    assert level(Source("vendor", "1", "d", NOON, NOON + DAY), 80, NOON + age) is expected


@given(st.integers(1, 100), st.integers(1, 10**10), st.integers(0, 2 * 10**10))
def test_a_source_never_gets_fresher_by_waiting(warn_at: int, life: int, wait: int) -> None:
    """Levels only worsen with time, and the warning never comes after the end."""
    order = [Level.FRESH, Level.AGEING, Level.EXPIRED]
    source = Source("vendor", "1", "d", NOON, NOON + life)

    assert order.index(level(source, warn_at, NOON)) <= order.index(level(source, warn_at, NOON + wait))
    assert warns_at(source, warn_at) <= source.expires_at


def told(matrix: Matrix, known: Mapping[str, Known], now: int = NOON) -> dict[str, Level]:
    return {change.name: change.after for change in changes(matrix, known, 80, now) if is_news(change)}


def after(matrix: Matrix, known: Mapping[str, Known], now: int = NOON) -> dict[str, Known]:
    """What is remembered once everything was told."""
    found = {change.name: Known(change.name, change.after) for change in changes(matrix, known, 80, now)}
    return {name: k for name, k in {**known, **found}.items() if k.level is not Level.WITHDRAWN}


def test_a_source_that_was_never_seen_and_is_fresh_is_no_news() -> None:
    """Nobody wants a message for each start."""
    assert told(a_matrix(vendor=1), {}) == {}


def test_a_whole_life_is_told_once_each() -> None:
    """Warning, expiry, recovery, withdrawal: one message each, however often the clock ticks."""
    known: dict[str, Known] = {}
    heard: list[tuple[str, Level]] = []
    story = [a_matrix(vendor=1), a_matrix(vendor=20), a_matrix(vendor=25), a_matrix(vendor=0), a_matrix(other=0)]
    for matrix in story:
        for _ in range(3):
            heard += told(matrix, known).items()
            known = after(matrix, known)

    assert heard == [
        ("vendor", Level.AGEING), ("vendor", Level.EXPIRED), ("vendor", Level.FRESH), ("vendor", Level.WITHDRAWN),
    ]  # fmt: skip


def test_no_matrix_at_all_is_told_and_so_is_its_arrival() -> None:
    """MISSING is about the whole, and ends with the first source."""
    assert told(Matrix.EMPTY, {}) == {WHOLE: Level.MISSING}
    known = after(Matrix.EMPTY, {})
    assert told(Matrix.EMPTY, known) == {}
    assert told(a_matrix(vendor=1), known) == {WHOLE: Level.FRESH}


def test_a_source_that_was_only_heard_of_is_not_withdrawn() -> None:
    """A refresh that never became whole leaves memories of its arrival, and no standing."""
    assert told(a_matrix(vendor=1), {WHOLE: Known(WHOLE, Level.FRESH), "torn": Known("torn")}) == {}


def test_parts_of_one_refresh_are_one_refresh() -> None:
    """A large matrix comes in parts, and only the last refreshes are remembered."""
    known = Known("vendor")
    for number in range(20):
        for part in range(3):
            known = refreshed(known, f"digest@{number}", NOON + number * HOUR + part)

    assert len(known.arrivals) == REMEMBERED
    assert known.arrivals[-1] == NOON + 19 * HOUR
    assert usual_interval(known.arrivals) == HOUR


@pytest.mark.parametrize(
    ("arrivals", "silent", "gap"),
    [
        pytest.param((0, 1, 2, 3), 2, False, id="twice the usual interval is still usual"),
        pytest.param((0, 1, 2, 3), 3, True, id="more than twice is a gap"),
        pytest.param((0, 1), 9, False, id="two refreshes are no habit"),
        pytest.param((), 9, False, id="never seen"),
        pytest.param((0, 1, 2, 12), 3, True, id="one long interval does not change the habit"),
        pytest.param((0, 0.01, 0.02, 0.03), 3, False, id="corrections one after another are no habit"),
        pytest.param((0, 1, 1.01, 1.02, 2), 2, False, id="nor do they shorten one"),
    ],
)
def test_silence_is_measured_by_habit(arrivals: tuple[float, ...], silent: int, gap: bool) -> None:
    """A gap is more than twice the median interval."""
    times = tuple(NOON + int(hour * HOUR) for hour in arrivals)

    assert is_gap(times, (times[-1] if times else NOON) + silent * HOUR) is gap


@given(st.sampled_from(Level), st.sampled_from([None, *Level]), st.booleans())
def test_every_change_has_words_and_bad_ones_a_runbook(now_: Level, before: Level | None, known: bool) -> None:
    """Whoever is told must know what it does to installations and where to read on."""
    source = Source("vendor", "1", "d", NOON, NOON + DAY) if known else None
    said = notice(Change("vendor", before, now_, source), NOON)

    assert said.subject
    assert said.body.endswith(".")
    assert bool(said.link) is (now_ is not Level.FRESH)
