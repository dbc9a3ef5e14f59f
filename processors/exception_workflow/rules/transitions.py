"""The state machine of an exception: one table, and `decide`, which applies it.

Every input is a trigger, and every result is a move: a change, or a refusal that leaves the case unchanged. What
the table does not permit is refused, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from processors.events.exceptions import CommandKind, Status
from processors.events.outcomes import InstallOutcome
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules import decisions, executions, rechecks, requests
from processors.exception_workflow.rules.monitoring import shortfall
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.timers import REVIEWING, UNDECIDED, TimerKind, current_step, due_by
from processors.exception_workflow.rules.triggers import (
    Commanded,
    Decided,
    On,
    Reported,
    TimerFired,
    Trigger,
    UseReported,
)
from processors.exception_workflow.state.case import ExceptionCase

S = Status
NEVER_ASKED = S.UNKNOWN
OVER = frozenset({S.CONSUMED, S.REJECTED, S.WITHDRAWN, S.LAPSED, S.VOIDED, S.REVOKED, S.EXPIRED})
"""Statuses in which a request opens another round. For requests, CONSUMED counts as over."""

USED = frozenset({S.APPROVED, S.CONSUMED})
RAN = USED | UNDECIDED | {S.NEEDS_REVIEW, S.EXPIRED, S.REVOKED, S.VOIDED, S.REJECTED, S.WITHDRAWN, S.LAPSED}
"""Statuses in which an installation that was permitted before may still run."""


class Row(NamedTuple):
    """`apply` gives the resulting case, or raises Objection. `stays` keeps the status."""

    sources: frozenset[Status]
    targets: frozenset[Status]
    apply: Callable[[ExceptionCase, Any, ExceptionPolicy], ExceptionCase]
    stays: bool = False


def _fire(case: ExceptionCase, fired: TimerFired, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    return case._replace(fired=(*case.fired, fired.timer.name))


def _end(status: Status) -> Callable[[ExceptionCase, Trigger, ExceptionPolicy], ExceptionCase]:
    return lambda case, _, __: case._replace(status=status)


TABLE: Mapping[On, Row] = {
    On.REQUESTED: Row(OVER | {NEVER_ASKED}, frozenset({S.CHECKING}), requests.request),
    On.CONFIRMED: Row(frozenset({S.CHECKING}), frozenset({S.PENDING, S.REJECTED, S.VOIDED}), rechecks.confirmed),
    On.AMENDED: Row(REVIEWING, frozenset({S.PENDING, S.CHECKING}), requests.amend),
    On.APPROVAL: Row(REVIEWING, frozenset({S.IN_REVIEW, S.APPROVED}), decisions.approve),
    On.DENIAL: Row(REVIEWING, frozenset({S.REJECTED}), decisions.deny),
    On.WITHDRAWN: Row(UNDECIDED, frozenset({S.WITHDRAWN}), requests.withdraw),
    On.SLA_TIMER: Row(REVIEWING, REVIEWING, _fire, stays=True),
    On.TOO_OLD: Row(UNDECIDED, frozenset({S.LAPSED}), _end(S.LAPSED)),
    On.USE: Row(frozenset({S.APPROVED}), frozenset({S.CONSUMED, S.APPROVED}), executions.use),
    On.RECHECK_SENT: Row(frozenset({S.APPROVED}), frozenset({S.APPROVED}), rechecks.recheck_sent, stays=True),
    On.RECHECKED: Row(
        frozenset({S.APPROVED}), frozenset({S.APPROVED, S.NEEDS_REVIEW, S.VOIDED}), rechecks.rechecked
    ),
    On.MONITORING_LOST: Row(USED, frozenset({S.NEEDS_REVIEW}), executions.monitoring_lost),
    On.OUTCOME: Row(RAN, RAN, executions.outcome, stays=True),
    On.CANCELLED: Row(UNDECIDED, frozenset({S.WITHDRAWN}), executions.cancelled),
    On.EXTENSION: Row(frozenset({S.APPROVED, S.NEEDS_REVIEW}), frozenset({S.IN_REVIEW}), requests.extend),
    On.REVOKED: Row(frozenset({S.APPROVED, S.NEEDS_REVIEW}), frozenset({S.REVOKED}), decisions.revoke),
    On.VALIDITY_OVER: Row(frozenset({S.APPROVED}), frozenset({S.EXPIRED}), _end(S.EXPIRED)),
    On.HEADS_UP: Row(frozenset({S.APPROVED}), frozenset({S.APPROVED}), _fire, stays=True),
}


class Fact(NamedTuple):
    """The result of a trigger. `reasons` are those of a refusal, or why the guard's answer ended a request."""

    event: str
    at: int
    cause: str
    actor: str
    step: str = ""
    request_id: str = ""
    reasons: tuple[Reason, ...] = ()
    text: str = ""


class Move(NamedTuple):
    """The case before and after, and the fact between them. A refusal leaves the case unchanged."""

    before: ExceptionCase
    after: ExceptionCase
    fact: Fact

    @property
    def changed(self) -> bool:
        return self.after is not self.before


def decide(case: ExceptionCase, trigger: Trigger, policy: ExceptionPolicy) -> Move:
    """Apply the table. Never raises for anything that a sender could cause."""
    if isinstance(trigger, UseReported):
        trigger = replace(trigger, confirms=case.status is S.CHECKING)
    if (event := _again(case, trigger, policy)) is not None:
        return Move(case, case, _fact(event, case, trigger, policy))
    row = TABLE[trigger.on]
    try:
        if isinstance(trigger, Decided):
            decisions.bound(case, trigger)
        if case.status not in row.sources:
            raise _illegal(case, trigger, policy)
        after = row.apply(case, trigger, policy)
    except Objection as objection:
        return refusal(case, trigger, objection, policy)
    if isinstance(trigger, Commanded):
        after = requests.remembered(after, trigger)
    moved = without_idle(after._replace(sequence=case.sequence + 1, changed_at=trigger.at))
    return Move(case, moved, _fact(_event(case, moved, trigger, policy), case, trigger, policy))


def without_idle(case: ExceptionCase) -> ExceptionCase:
    """The case without the question, once it can never be asked again: it may be a megabyte, and cases are kept
    for years."""
    return case._replace(subject=b"") if case.subject and case.status in OVER else case


def catch_up(case: ExceptionCase, policy: ExceptionPolicy, until: int) -> list[Move]:
    """Fire every timer that is due by then, in the order in which they were due.

    This comes before anything else is judged, so that the result depends on the broker's times alone, and not on
    how often the clock was checked.
    """
    moves: list[Move] = []
    while (timer := due_by(case, policy, until)) is not None and timer.kind is not TimerKind.ORPHAN:
        move = decide(case, TimerFired(timer=timer), policy)
        moves.append(move)
        case = move.after
    return moves


def refusal(case: ExceptionCase, trigger: Trigger, objection: Objection, policy: ExceptionPolicy) -> Move:
    fact = _fact("refused", case, trigger, policy)
    return Move(case, case, fact._replace(reasons=objection.reasons, text=objection.text))


def reported(case: ExceptionCase, trigger: Reported, policy: ExceptionPolicy) -> Reported:
    """The judged trigger: the running installation is compared with the monitoring profile, and a cancelled
    installation also ends the request for its exception."""
    news = trigger.news
    if case.status in UNDECIDED and news.outcome is InstallOutcome.CANCELLED and news.request_id == case.request_id:
        return replace(trigger, on=On.CANCELLED)
    ran = next((e for e in reversed(case.executions) if e.request_id == news.request_id), None)
    profile = case.profile if ran is None else ran.profile
    lacks = (case.uses > 0 or ran is not None) and shortfall(policy, profile, news) is not None
    return replace(trigger, lacks=lacks, on=On.MONITORING_LOST if lacks and case.status in USED else On.OUTCOME)


def _again(case: ExceptionCase, trigger: Trigger, policy: ExceptionPolicy) -> str | None:
    """An input that was answered before, and is answered the same way without further effect."""
    match trigger:
        case Commanded() if requests.is_repeated(case, trigger.command):
            return "repeated"
        case Commanded() if trigger.command.kind is CommandKind.REQUESTED and _is_open(case):
            return "already_open"
        case Reported() if trigger.news.told in case.outcomes:
            return "repeated"
        case UseReported() if trigger.on is On.USE and executions.is_repetition(case, trigger, policy):
            return "used_again"
        case _:
            return None


def _is_open(case: ExceptionCase) -> bool:
    return case.exists and case.status not in OVER


def _illegal(case: ExceptionCase, trigger: Trigger, policy: ExceptionPolicy) -> Objection:
    if isinstance(trigger, UseReported) and trigger.on is On.USE:
        failed = executions.failed_conditions(case, trigger.use, policy, trigger.at)
        return Objection(failed, "the exception does not cover this request")
    if not case.exists:
        return Objection(Reason.NO_SUCH_EXCEPTION, "there is no such exception")
    return Objection(
        Reason.ILLEGAL_TRANSITION,
        f"`{trigger.on}` is not possible in {case.status}{_instead(trigger.on, case)}",
    )


def _instead(on: On, case: ExceptionCase) -> str:
    """Another way to the same end, if the status has one."""
    status = case.status
    if way_out := executions.way_out(case):
        return f"; {way_out}"
    if on is On.REVOKED and status in UNDECIDED:
        return "; `compat-guard deny` ends it, or `compat-guard exception withdraw` by the requester"
    if on in (On.WITHDRAWN, On.DENIAL) and status in (S.APPROVED, S.NEEDS_REVIEW):
        return "; `compat-guard exception revoke` ends it"
    return ""


def _fact(event: str, case: ExceptionCase, trigger: Trigger, policy: ExceptionPolicy) -> Fact:
    reviewing = current_step(case, policy) if case.status in REVIEWING else None
    text = trigger.decision.reason if isinstance(trigger, Decided) else ""
    if isinstance(trigger, Commanded):
        text = requests.clean(trigger.command.reason)[: requests.LONGEST_TEXT]
    if isinstance(trigger, UseReported) and trigger.on is On.RECHECKED and trigger.use.basis.blocking:
        text = rechecks.more_than_approved(case, trigger.use.basis)
    doubt = None
    if isinstance(trigger, UseReported) and trigger.on is On.CONFIRMED and trigger.use.basis.blocking:
        doubt = rechecks.doubt(case, trigger.use.basis)
    return Fact(
        event=event,
        at=trigger.at,
        cause=trigger.cause,
        actor=trigger.actor,
        step=reviewing.name if reviewing is not None else "",
        request_id=trigger.request_id or case.request_id,
        reasons=() if doubt is None else (doubt,),
        text=text,
    )


def _event(before: ExceptionCase, after: ExceptionCase, trigger: Trigger, policy: ExceptionPolicy) -> str:
    """The name of what happened, by which auditors search."""
    match trigger:
        case TimerFired():
            return _FIRED[trigger.timer.kind]
        case Reported() if trigger.on is not On.CANCELLED:
            return "monitoring_lost" if trigger.lacks else f"execution_{trigger.news.outcome.lower()}"
        case Decided() if after.status is S.IN_REVIEW:
            same = current_step(after, policy) == current_step(before, policy)
            return "approval_recorded" if same else "step_approved"
        case _:
            return _BY_STATUS.get((trigger.on, after.status), _NAMES.get(trigger.on, "rechecked"))


_FIRED = {
    TimerKind.REMINDER: "reminded",
    TimerKind.ESCALATION: "escalated",
    TimerKind.OVERDUE: "overdue",
    TimerKind.LAPSE: "lapsed",
    TimerKind.HEADS_UP: "heads_up",
    TimerKind.EXPIRY: "expired",
}
_BY_STATUS = {
    (On.APPROVAL, S.APPROVED): "approved",
    (On.CANCELLED, S.WITHDRAWN): "withdrawn",
    (On.CONFIRMED, S.PENDING): "review_opened",
    (On.CONFIRMED, S.REJECTED): "unconfirmed",
    (On.CONFIRMED, S.VOIDED): "voided",
    (On.RECHECKED, S.VOIDED): "voided",
    (On.RECHECKED, S.NEEDS_REVIEW): "needs_review",
}
_NAMES = {
    On.REQUESTED: "requested",
    On.AMENDED: "amended",
    On.DENIAL: "rejected",
    On.WITHDRAWN: "withdrawn",
    On.USE: "used",
    On.RECHECK_SENT: "recheck_sent",
    On.EXTENSION: "extension_requested",
    On.REVOKED: "revoked",
}
