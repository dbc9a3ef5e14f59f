"""Which delivery goes next."""

from __future__ import annotations

import random
from collections import defaultdict

from examples.deliveries import delivery
from hypothesis import given
from hypothesis import strategies as st

from processors.relay.delivery import Delivery, Reception, Reply
from processors.relay.dispatch import Attempt, Dispatch
from processors.relay.pace import Pace
from processors.relay.target_status import Mode, Pauses, TargetStatus

OK = Reply(Reception.ACCEPTED, "200 OK")
FAILED = Reply(Reception.FAILED, "500")
GONE = Reply(Reception.GONE, "410 Gone")


def dispatch() -> Dispatch:
    return Dispatch(lambda _: Pace((1000, 1000)), Pauses(), TargetStatus())


def held(*deliveries: Delivery) -> dict[str, Delivery]:
    return {one.state_key: one for one in deliveries}


def event(id: str, key: str, offset: int, **more: object) -> Delivery:
    return delivery(id=id, order_key=key, offset=offset, **more)


def taken(from_: Dispatch, now: int = 0) -> list[str]:
    """Everything that may be in flight at once."""
    found: list[str] = []
    while (attempt := from_.take(now)) is not None:
        found.append(attempt.delivery.id)
    return found


def test_one_delivery_of_a_key_is_in_flight_at_a_time() -> None:
    """The others of the key wait for it; other keys do not."""
    line = dispatch()
    line.sync(held(event("a1", "a", 1), event("a2", "a", 2), event("b1", "b", 3)))

    assert taken(line) == ["a1", "b1"]


def test_a_failing_key_waits_while_others_pass() -> None:
    line = dispatch()
    line.sync(held(event("a1", "a", 1), event("a2", "a", 2), event("b1", "b", 3), event("b2", "b", 4)))
    first, second = line.take(0), line.take(0)
    assert first is not None
    assert second is not None
    line.finish(first, FAILED, 0)
    line.finish(second, OK, 0)

    assert taken(line) == ["b2"]
    assert taken(line, 2000) == ["a1"]


def test_a_key_goes_on_once_its_first_delivery_is_given_up() -> None:
    line = dispatch()
    line.sync(held(event("a1", "a", 1), event("a2", "a", 2)))
    for now in (0, 2000, 4000):
        attempt = line.take(now)
        assert attempt is not None
        assert attempt.delivery.id == "a1"
        line.finish(attempt, FAILED, now)

    assert taken(line, 4000) == ["a2"]


def test_what_was_tried_is_not_tried_again_before_it_is_committed() -> None:
    """The committed state still holds it."""
    line, state = dispatch(), held(event("a1", "a", 1))
    line.sync(state)
    attempt = line.take(0)
    assert attempt is not None
    line.finish(attempt, OK, 0)
    line.sync(state)

    assert taken(line) == []
    assert [change.after for change in line.unsaved().values()] == [None]


def test_a_try_of_a_delivery_that_went_to_another_process_counts_for_nothing() -> None:
    line = dispatch()
    line.sync(held(event("a1", "a", 1)))
    attempt = line.take(0)
    assert attempt is not None
    line.sync({})
    line.finish(attempt, OK, 0)

    assert line.unsaved() == {}


def test_a_try_that_was_cut_off_is_made_again() -> None:
    line = dispatch()
    line.sync(held(event("a1", "a", 1)))
    attempt = line.take(0)
    assert attempt is not None
    line.abandon(attempt)

    assert taken(line) == ["a1"]


def test_a_target_that_is_gone_keeps_its_deliveries() -> None:
    line = dispatch()
    line.sync(held(event("a1", "a", 1), event("b1", "b", 2)))
    attempt = line.take(0)
    assert attempt is not None
    line.finish(attempt, GONE, 0)

    assert taken(line, 10**12) == []
    assert line.next_at() is None
    assert {d.id for d in line.waiting()} == {"a1", "b1"}
    line.resume(0)
    assert set(taken(line)) == {"a1", "b1"}


def test_another_process_standing_is_taken_over_if_it_is_newer_and_about_the_same_address() -> None:
    line = Dispatch(lambda _: Pace(()), Pauses(), TargetStatus(endpoint="here"))
    line.adopt([TargetStatus(mode=Mode.DISABLED, endpoint="there", changed_at=9)])
    assert line.standing.mode is Mode.ACTIVE
    line.adopt([TargetStatus(mode=Mode.HELD, endpoint="here", changed_at=8)])
    assert line.standing.mode is Mode.HELD
    line.adopt([TargetStatus(mode=Mode.BROKEN, endpoint="here", changed_at=7)])
    assert line.standing.mode is Mode.HELD


@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(1, 16))
def test_any_run_delivers_everything_and_keeps_each_key_in_order(seed: int, keys: list[int], most: int) -> None:
    """With random failures, commits in between and tries cut off, each is accepted once, in its key's order."""
    dice = random.Random(seed)
    line = Dispatch(lambda _: Pace((10,) * 10_000), Pauses(10, 10), TargetStatus())
    state = held(*(event(f"e{n}", f"k{key}", n) for n, key in enumerate(keys)))
    flying: list[Attempt] = []
    accepted: dict[str, list[int]] = defaultdict(list)
    for now in range(0, 100_000, 5):
        if not state:
            break
        line.sync(state)
        while len(flying) < most and (attempt := line.take(now)):
            assert attempt.delivery.order_key not in {other.delivery.order_key for other in flying}
            flying.append(attempt)
        while flying and dice.random() < 0.7:
            attempt = flying.pop(dice.randrange(len(flying)))
            if dice.random() < 0.1:
                line.abandon(attempt)
                continue
            reply = OK if dice.random() < 0.7 else FAILED
            if reply is OK:
                accepted[attempt.delivery.order_key].append(attempt.delivery.offset)
            line.finish(attempt, reply, now)
        if dice.random() < 0.5:
            changes = line.unsaved()
            for key, change in changes.items():
                state = {k: v for k, v in state.items() if k != key} | ({key: change.after} if change.after else {})
            line.saved(changes.values())

    wanted = {f"k{key}": [n for n, k in enumerate(keys) if k == key] for key in keys}
    assert state == {}
    assert accepted == wanted
