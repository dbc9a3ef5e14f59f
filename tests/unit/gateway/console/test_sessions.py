"""A session ends when nobody uses it, when it is old, when it is told to, and when too many are open."""

from __future__ import annotations

from examples.exceptions import NEVER_ASKED

from processors.gateway.console.sessions import IDLE, LONGEST, MOST_OPEN, AsShown, OpenDecision, Sessions


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_lasts_for_as_long_as_it_is_used() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    cookie = sessions.begin({"sub": "alice"})
    while clock.now + IDLE - 1 - 1000.0 < LONGEST:
        clock.now += IDLE - 1
        found = sessions.find(cookie)
        assert found is not None
        assert found.subject == "alice"

    clock.now = 1000.0 + LONGEST
    assert sessions.find(cookie) is None


def test_a_session_that_nobody_used_is_over() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    cookie = sessions.begin({"sub": "alice"})
    clock.now += IDLE

    assert sessions.find(cookie) is None


def test_who_logged_out_is_not_known_any_more() -> None:
    sessions = Sessions()
    cookie = sessions.begin({"sub": "alice"})
    sessions.end(cookie)

    assert sessions.find(cookie) is None
    assert sessions.find("") is None


def test_the_session_unused_for_longest_makes_room() -> None:
    sessions = Sessions(most=2)
    first, second = sessions.begin({"sub": "a"}), sessions.begin({"sub": "b"})
    assert sessions.find(first)
    third = sessions.begin({"sub": "c"})

    assert [sessions.find(cookie) is None for cookie in (first, second, third)] == [False, True, False]


def test_a_session_keeps_a_bounded_number_of_decisions() -> None:
    sessions = Sessions()
    session = sessions.find(sessions.begin({"sub": "a"}))
    assert session is not None
    for number in range(MOST_OPEN + 1):
        session.open(str(number), OpenDecision("x", "{}", AsShown.of(NEVER_ASKED)))

    assert len(session.decisions) == MOST_OPEN
    assert "0" not in session.decisions


def test_a_look_at_what_is_left_is_no_use() -> None:
    """The page that warns asks again and again, and must keep nobody logged in."""
    clock = Clock()
    sessions = Sessions(clock)
    cookie = sessions.begin({"sub": "alice"})
    for _ in range(3):
        clock.now += IDLE / 4
        left = sessions.left(cookie)

    assert left == IDLE / 4
    assert sessions.find(cookie) is not None
    assert sessions.left(cookie) == IDLE
    clock.now += LONGEST - IDLE
    assert sessions.left(cookie) == 0.0
    assert sessions.left("nobody") == 0.0
