"""How often one caller may ask: an average over a window that slides, and a caller who is counted alone."""

from __future__ import annotations

from processors.gateway.limits import RATES, Limits, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_granted_and_what_exceeds_it_is_not() -> None:
    limits, quota = Limits(Clock()), RATES[Rate.CHECK]
    taken = [limits.take(Rate.CHECK, "alice") for _ in range(quota.amount + 3)]

    assert [one.granted for one in taken] == [True] * quota.amount + [False] * 3
    assert [one.remaining for one in taken] == [*range(quota.amount - 1, -1, -1), 0, 0, 0]
    assert taken[-1].headers == {
        "RateLimit-Policy": f'"check";q={quota.amount};w={quota.window}',
        "RateLimit": f'"check";r=0;t={quota.window}',
    }


def test_the_window_slides_and_what_is_refused_is_not_counted() -> None:
    clock = Clock()
    limits = Limits(clock)
    for _ in range(5):
        assert limits.take(Rate.APPROVE, "alice").granted
        clock.now += 0.5
    assert not any(limits.take(Rate.APPROVE, "alice").granted for _ in range(20))
    clock.now += 2.5  # five seconds after the first one

    assert limits.take(Rate.APPROVE, "alice").granted
    refused = limits.take(Rate.APPROVE, "alice")
    assert (refused.granted, refused.reset) == (False, 1)


def test_neither_another_caller_nor_another_rate_is_counted() -> None:
    limits = Limits(Clock())
    for _ in range(RATES[Rate.APPROVE].amount):
        limits.take(Rate.APPROVE, "alice")

    assert not limits.take(Rate.APPROVE, "alice").granted
    assert limits.take(Rate.APPROVE, "bob").granted
    assert limits.take(Rate.CHECK, "alice").granted


def test_callers_who_have_left_are_forgotten() -> None:
    clock = Clock()
    limits = Limits(clock)
    for n in range(1000):
        limits.take(Rate.READ, f"person-{n}")
    clock.now += 60
    limits.take(Rate.READ, "alice")

    assert limits.callers == 1
