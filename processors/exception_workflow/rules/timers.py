"""The timers of an exception.

Timers are derived from the state and never stored beside it, so that they survive restarts; that a timer has fired
is part of the state, so that it fires once. The current step is derived as well: the first one whose quorum is
missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from processors.events.exceptions import Status
from processors.exception_workflow.config import ExceptionPolicy, Step
from processors.exception_workflow.state.case import ExceptionCase, Held, PendingDigest

REVIEWING = frozenset({Status.PENDING, Status.IN_REVIEW})
UNDECIDED = REVIEWING | {Status.CHECKING}
"""Requested and not decided. While the guard is being asked, nobody may decide, and only the lapse is timed."""


class TimerKind(StrEnum):
    REMINDER = "reminder"
    ESCALATION = "escalation"
    OVERDUE = "overdue"
    LAPSE = "lapse"
    HEADS_UP = "heads_up"
    EXPIRY = "expiry"
    ORPHAN = "orphan"


class Timer(NamedTuple):
    """`due` comes first, so that the earliest timer is the smallest."""

    due: int
    kind: TimerKind
    name: str
    """The entry in `ExceptionCase.fired` once it has fired."""


def current_step(case: ExceptionCase, policy: ExceptionPolicy) -> Step | None:
    """The step that waits for approvals; None once every quorum is complete."""
    for step in policy.flow(case.band):
        given = sum(approval.step == step.name for approval in case.approvals)
        if given < policy.thresholds[step.threshold].approve:
            return step
    return None


def timers(case: ExceptionCase, policy: ExceptionPolicy) -> Iterator[Timer]:
    """Every timer of a case that has not fired yet, in no particular order."""
    for timer in _all(case, policy):
        if timer.name not in case.fired:
            yield timer


def due_by(case: ExceptionCase, policy: ExceptionPolicy, until: int) -> Timer | None:
    """The earliest timer that is due at `until` or before; None if there is none."""
    first = min(timers(case, policy), default=None)
    return first if first is not None and first.due <= until else None


def next_due(held: Held, policy: ExceptionPolicy) -> int | None:
    """When time alone next changes the state under a key; None if it never does."""
    if isinstance(held, PendingDigest):
        return held.since + policy.clocks.digest
    return min((timer.due for timer in timers(held, policy)), default=None)


def step_deadline(case: ExceptionCase, policy: ExceptionPolicy) -> int | None:
    """When the SLA of the current step ends; None if there is no current step."""
    step = current_step(case, policy) if case.status in REVIEWING else None
    return None if step is None else case.step_since + step.sla


def _all(case: ExceptionCase, policy: ExceptionPolicy) -> Iterator[Timer]:
    if case.parked:
        first = min(parked.at for parked in case.parked)
        yield Timer(first + policy.clocks.parking, TimerKind.ORPHAN, "")
    if case.status in UNDECIDED:
        yield Timer(case.requested_at + policy.clocks.request_life, TimerKind.LAPSE, "lapse")
    if case.status in REVIEWING:
        yield from _of_review(case, policy)
    elif case.status is Status.APPROVED and case.valid_until is not None:
        yield Timer(case.valid_until, TimerKind.EXPIRY, "expiry")
        yield from _heads_up(case, case.valid_until, policy)


def _of_review(case: ExceptionCase, policy: ExceptionPolicy) -> Iterator[Timer]:
    yield Timer(case.opened_at + policy.clocks.total, TimerKind.OVERDUE, "overdue")
    step = current_step(case, policy)
    if step is not None:
        for percent in policy.clocks.reminders:
            due = case.step_since + step.sla * percent // 100
            yield Timer(due, TimerKind.REMINDER, f"{step.name}/{percent}")
        yield Timer(case.step_since + step.sla, TimerKind.ESCALATION, f"{step.name}/escalation")


def _heads_up(case: ExceptionCase, valid_until: int, policy: ExceptionPolicy) -> Iterator[Timer]:
    """A heads-up that would come before the approval itself is useless."""
    for ahead in policy.clocks.heads_up:
        due = valid_until - ahead
        if due > (case.approved_at or 0):
            yield Timer(due, TimerKind.HEADS_UP, f"heads_up/{ahead}")
