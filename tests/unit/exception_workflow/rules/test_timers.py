"""Timers fire when they are due, once, in order, however seldom somebody looks."""

from __future__ import annotations

from examples.exceptions import BOB, DAY, HOUR, NEVER_ASKED, NOON, SABINE, asks, confirms, policy, says
from hypothesis import given
from hypothesis import strategies as st

from processors.events.exceptions import Status
from processors.exception_workflow.rules.timers import next_due, step_deadline
from processors.exception_workflow.rules.transitions import catch_up, decide
from processors.exception_workflow.state.case import ExceptionCase, PendingDigest


def case_after(*story: object) -> ExceptionCase:
    case = NEVER_ASKED
    for trigger in story:
        case = decide(case, trigger, policy()).after  # pyright: ignore[reportArgumentType]
        if case.status is Status.CHECKING:
            case = decide(case, confirms(case), policy()).after
    return case


PENDING = case_after(asks())
APPROVED = case_after(asks(), says(BOB), says(SABINE))


def rung(case: ExceptionCase, until: int) -> list[tuple[str, int]]:
    return [(move.fact.event, move.fact.at - NOON) for move in catch_up(case, policy(), until)]


def test_an_undecided_request_reminds_escalates_and_lapses() -> None:
    """High risk: two steps of 8 h, of which the first waits; the total is 24 h, the life 7 d."""
    assert rung(PENDING, NOON + 8 * DAY) == [
        ("reminded", 4 * HOUR),
        ("reminded", 8 * HOUR * 80 // 100),
        ("escalated", 8 * HOUR),
        ("overdue", 24 * HOUR),
        ("lapsed", 7 * DAY),
    ]


def test_the_next_step_has_timers_of_its_own() -> None:
    """They start when the step before is done."""
    case = case_after(asks(), says(BOB, at=NOON + HOUR))

    assert rung(case, NOON + 10 * HOUR)[-1] == ("escalated", 9 * HOUR)
    assert step_deadline(case, policy()) == NOON + 9 * HOUR


def test_an_approval_gives_heads_up_and_expires() -> None:
    """7 d of validity: a heads-up 7 d ahead would come with the approval itself, so the one 1 d ahead is left."""
    end = APPROVED.valid_until
    assert end is not None

    assert [(event, at) for event, at in rung(APPROVED, end)] == [
        ("heads_up", end - DAY - NOON),
        ("expired", end - NOON),
    ]


def test_nothing_fires_after_the_end() -> None:
    """A decided request has no timers."""
    lapsed = catch_up(PENDING, policy(), NOON + 8 * DAY)[-1].after

    assert lapsed.status is Status.LAPSED
    assert next_due(lapsed, policy()) is None


@given(st.lists(st.integers(0, 8 * DAY), max_size=12), st.sampled_from([PENDING, APPROVED]))
def test_looking_more_often_changes_nothing(looks: list[int], case: ExceptionCase) -> None:
    """Timers fire once, at their own time, whoever looks when."""
    at_once = rung(case, NOON + 8 * DAY)
    events: list[tuple[str, int]] = []
    for look in [*sorted(looks), 8 * DAY]:
        moves = catch_up(case, policy(), NOON + look)
        events += [(move.fact.event, move.fact.at - NOON) for move in moves]
        case = moves[-1].after if moves else case

    assert events == at_once


@given(st.integers(0, 8 * DAY), st.sampled_from([PENDING, APPROVED]))
def test_the_next_due_time_is_when_something_fires(look: int, case: ExceptionCase) -> None:
    """Nothing does before it, something does at it: the index of due times may rely on it."""
    moves = catch_up(case, policy(), NOON + look)
    case = moves[-1].after if moves else case
    due = next_due(case, policy())

    if due is None:
        assert not catch_up(case, policy(), NOON + 100 * DAY)
    else:
        assert not catch_up(case, policy(), due - 1)
        assert catch_up(case, policy(), due)


def test_a_digest_is_sent_when_its_window_closes() -> None:
    """What one refresh causes is gathered for as long as the policy says."""
    assert next_due(PendingDigest(0, "x", "needs_review", "WARNING", NOON, 1, ()), policy()) == NOON + 30_000
