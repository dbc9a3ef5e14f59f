"""When a delivery is tried again, and when it is given up."""

from dataclasses import replace

import pytest
from examples.deliveries import delivery
from hypothesis import given
from hypothesis import strategies as st

from processors.relay.delivery import Delivery, DeliveryStatus, Reception, Reply
from processors.relay.pace import HOUR, JITTER, LONGEST_RETRY_AFTER, MINUTE, ORDINARY, SECOND, URGENT, Pace, after

NOW = 1_800_000_000_000
FAILED = Reply(Reception.FAILED, "500 Internal Server Error")
REFUSED = Reply(Reception.REFUSED, "422 Unprocessable Entity")

receptions = st.sampled_from([reception for reception in Reception if reception is not Reception.ACCEPTED])
replies = st.builds(Reply, receptions, st.just("said"), st.none() | st.integers(-(10**15), 10**15))
paces = st.sampled_from([ORDINARY, URGENT, Pace(()), Pace((1,))])


def until_dead(pace: Pace, reply: Reply) -> list[int]:
    """The waits between the tries of a delivery that never succeeds."""
    waits: list[int] = []
    now, at = NOW, delivery()
    while True:
        left = after(at, reply, pace, now)
        assert left is not None
        if not left.pending:
            return waits
        waits.append(left.next_at - now)
        now, at = left.next_at, left


def test_ten_tries_are_made_over_three_days() -> None:
    """0, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h, give or take a fifth."""
    waits = until_dead(ORDINARY, FAILED)

    wanted = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, *(h * HOUR for h in (2, 5, 10, 14, 20, 24))]
    assert len(waits) == len(wanted) == 9
    assert all((1 - JITTER) * w <= found <= (1 + JITTER) * w for found, w in zip(waits, wanted, strict=True))


def test_a_notice_that_somebody_must_act_on_is_tried_every_minute_for_a_day() -> None:
    """1, 2, 4, ... 60 s: a step of an approval has four hours."""
    waits = until_dead(URGENT, FAILED)

    assert max(waits) <= 1.2 * MINUTE
    assert sum(waits[:6]) <= 1.2 * 63 * SECOND
    assert sum(waits) >= 0.8 * 23 * HOUR


def test_a_message_that_is_refused_three_times_is_given_up() -> None:
    """A client error is permanent; two more tries are for a target that is just being mended."""
    assert len(until_dead(ORDINARY, REFUSED)) == 2


@pytest.mark.parametrize("reception", [Reception.UNAUTHORIZED, Reception.GONE])
def test_a_target_that_is_at_fault_costs_the_delivery_no_try(reception: Reception) -> None:
    """The whole target waits; the delivery is as good as new when it is back."""
    left = after(delivery(attempts=3), Reply(reception, "401 Unauthorized"), ORDINARY, NOW)

    assert left == delivery(attempts=3, next_at=NOW, message="401 Unauthorized")


def test_an_accepted_delivery_is_done() -> None:
    assert after(delivery(), Reply(Reception.ACCEPTED, "204 No Content"), ORDINARY, NOW) is None


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(60 * SECOND, 60 * SECOND), (365 * 24 * HOUR, LONGEST_RETRY_AFTER), (SECOND, None), (-5, None), (None, None)],
    ids=["a minute", "a year", "less than the schedule", "the past", "nothing"],
)
def test_retry_after_is_obeyed_up_to_a_bound(asked: int | None, waited: int | None) -> None:
    """It makes the wait longer, never shorter, and a year is not believed."""
    left = after(delivery(), replace(FAILED, retry_after=asked), ORDINARY, NOW)

    assert left is not None
    wait = left.next_at - NOW
    assert wait == waited if waited is not None else 4 * SECOND <= wait <= 6 * SECOND


@given(st.integers(0, 2000), st.integers(0, 2), replies, paces)
def test_a_failure_changes_nothing_but_the_bookkeeping(
    attempts: int, refusals: int, reply: Reply, pace: Pace
) -> None:
    """The id and the bytes are the same at every try, the next one is not in the past, and no wait exceeds the
    schedule's longest and the bound on Retry-After."""
    before = delivery(attempts=attempts, refusals=refusals)
    left = after(before, reply, pace, NOW)

    assert left is not None
    assert (left.id, left.body, left.topic, left.offset) == (before.id, before.body, before.topic, before.offset)
    assert before.attempts <= left.attempts <= before.attempts + 1
    if left.status is DeliveryStatus.PENDING:
        longest = max([*(round(1.2 * wait) for wait in pace.waits), LONGEST_RETRY_AFTER])
        assert NOW <= left.next_at <= NOW + longest


@given(st.lists(replies, max_size=1500), paces)
def test_every_delivery_ends(said: list[Reply], pace: Pace) -> None:
    """A target that answers for itself can be tried as often as the schedule has waits, and once more."""
    at: Delivery | None = delivery()
    own = 0
    for reply in said:
        assert at is not None
        at = after(at, reply, pace, NOW)
        own += reply.reception in (Reception.FAILED, Reception.REFUSED)
        if at is None or not at.pending:
            break
    assert own <= len(pace.waits) + 1
