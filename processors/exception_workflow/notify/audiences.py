"""One table: which event is sent to whom, and with which text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from processors.events.notifications import Urgency
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.timers import REVIEWING, current_step
from processors.exception_workflow.rules.transitions import Move

Audience = Callable[[Move, ExceptionPolicy], Iterator[str]]


def _requester(move: Move, policy: ExceptionPolicy) -> Iterator[str]:  # noqa: ARG001 - the shape of every audience
    yield move.after.requester.subject


def _approvers(move: Move, policy: ExceptionPolicy) -> Iterator[str]:
    """The roles of the step that is waiting after the move."""
    step = current_step(move.after, policy)
    if step is not None:
        yield from map(policy.recipient, policy.thresholds[step.threshold].roles)


def _reviewers(move: Move, policy: ExceptionPolicy) -> Iterator[str]:
    """The approvers, if the review is open."""
    if move.after.status in REVIEWING:
        yield from _approvers(move, policy)


def _owners(move: Move, policy: ExceptionPolicy) -> Iterator[str]:
    yield from (owner.notify for owner in policy.owners_of(move.after.scope.plugin_id))


def _security(move: Move, policy: ExceptionPolicy) -> Iterator[str]:  # noqa: ARG001 - the shape of every audience
    yield policy.security


def _escalation(move: Move, policy: ExceptionPolicy) -> Iterator[str]:
    step = policy.step(move.before.band, move.fact.step)
    yield from map(policy.recipient, step.escalate_to if step is not None else ())


def _overdue(move: Move, policy: ExceptionPolicy) -> Iterator[str]:  # noqa: ARG001 - the shape of every audience
    yield from map(policy.recipient, policy.clocks.overdue_to)


def _actor(move: Move, policy: ExceptionPolicy) -> Iterator[str]:  # noqa: ARG001 - the shape of every audience
    if move.fact.actor not in ("", "clock", "matrix"):
        yield move.fact.actor


class Line(NamedTuple):
    """What an audience is told. `todo` may contain {step}, {due}, {until}, {approval}, {profile} and {id}."""

    audience: Audience
    kind: str
    urgency: Urgency
    what: str
    todo: str


_I, _W, _C = Urgency.INFO, Urgency.WARNING, Urgency.CRITICAL
_DECIDE = "Look at the report, then decide step `{step}` by {due}: `compat-guard approve {id}` or `deny`."
_USE = "Install with `--target --exception {id} --acknowledge-risk --monitoring {profile}`, by {until}."

LINES: Mapping[str, tuple[Line, ...]] = {
    "requested": (
        Line(
            _requester,
            "exception_requested",
            _I,
            "your request was received",
            "Nothing; the guard checks again before anybody decides.",
        ),
    ),
    "unconfirmed": (
        Line(
            _requester,
            "exception_rejected",
            _W,
            "the guard's answer differs from your request",
            "Ask the guard again, then request an exception for the new block.",
        ),
    ),
    "review_opened": (
        Line(_approvers, "approval_needed", _W, "an exception is requested", _DECIDE),
        Line(
            _requester,
            "exception_requested",
            _I,
            "your request is with the approvers",
            "Nothing; wait until {due}.",
        ),
    ),
    "amended": (
        Line(_reviewers, "approval_needed", _W, "a request was changed, earlier approvals are void", _DECIDE),
        Line(
            _requester, "exception_requested", _I, "your change is with the approvers", "Nothing; wait until {due}."
        ),
    ),
    "extension_requested": (
        Line(_approvers, "approval_needed", _W, "an extension is requested", _DECIDE),
        Line(
            _requester,
            "exception_requested",
            _I,
            "your extension is with the approvers",
            "Until then it cannot be used.",
        ),
    ),
    "approval_recorded": (
        Line(
            _requester,
            "exception_progress",
            _I,
            "one more approval of step `{step}`",
            "Nothing; others must decide.",
        ),
    ),
    "step_approved": (
        Line(_approvers, "approval_needed", _W, "the step before yours is approved", _DECIDE),
        Line(_requester, "exception_progress", _I, "step `{step}` is next", "Nothing; wait until {due}."),
    ),
    "approved": (
        Line(_requester, "exception_approved", _I, "your exception is approved as {approval}", _USE),
        Line(
            _owners,
            "exception_approved",
            _I,
            "an exception for your plugin is approved",
            "No action; it may run soon.",
        ),
        Line(
            _security,
            "exception_approved",
            _I,
            "an exception is approved",
            "Nothing; it is monitored under `{profile}`.",
        ),
    ),
    "rejected": (
        Line(
            _requester,
            "exception_rejected",
            _W,
            "your request is refused",
            "Take one of the ways out that the report names.",
        ),
        Line(
            _owners,
            "exception_rejected",
            _I,
            "an exception for your plugin is refused",
            "Nothing; it stays blocked.",
        ),
    ),
    "withdrawn": (
        Line(
            _requester,
            "exception_withdrawn",
            _I,
            "the request is withdrawn",
            "Nothing; the installed version stays.",
        ),
        Line(
            _approvers, "exception_withdrawn", _I, "a request is withdrawn", "Nothing; there is nothing to decide."
        ),
    ),
    "reminded": (Line(_approvers, "approval_reminder", _W, "step `{step}` still waits for you", _DECIDE),),
    "escalated": (
        Line(
            _escalation,
            "approval_escalated",
            _C,
            "step `{step}` is over its SLA",
            "Make sure that somebody decides it.",
        ),
        Line(_approvers, "approval_escalated", _W, "step `{step}` was escalated", _DECIDE),
        Line(_requester, "approval_escalated", _I, "step `{step}` was escalated", "Nothing; others were told."),
    ),
    "overdue": (
        Line(
            _overdue,
            "exception_overdue",
            _C,
            "a request is over the total SLA",
            "Make sure that somebody decides it.",
        ),
        Line(
            _requester,
            "exception_overdue",
            _W,
            "your request is over the total SLA",
            "Ask the owners of step `{step}`.",
        ),
    ),
    "lapsed": (
        Line(
            _requester, "exception_lapsed", _W, "your request lapsed undecided", "Ask again if you still need it."
        ),
        Line(_overdue, "exception_lapsed", _W, "a request lapsed undecided", "Find out why nobody decided it."),
    ),
    "used": (
        Line(
            _requester,
            "exception_used",
            _I,
            "an installation runs under your exception",
            "Monitor it under `{profile}`.",
        ),
        Line(
            _owners,
            "exception_used",
            _W,
            "your plugin is installed in spite of a block",
            "Monitor it; the approval is {approval}.",
        ),
        Line(
            _security, "exception_used", _I, "an installation runs under an exception", "Nothing; it is monitored."
        ),
    ),
    "monitoring_lost": (
        Line(
            _requester,
            "monitoring_lost",
            _C,
            "an installation runs without its monitoring",
            "Attach `{profile}` or roll back.",
        ),
        Line(
            _owners,
            "monitoring_lost",
            _C,
            "your plugin runs unmonitored in spite of a block",
            "Make sure that `{profile}` is attached or that it is rolled back.",
        ),
        Line(
            _security,
            "monitoring_lost",
            _C,
            "an installation runs unmonitored under an exception",
            "Review or revoke it.",
        ),
    ),
    "needs_review": (
        Line(
            _requester,
            "needs_review",
            _W,
            "blocks more than was approved",
            "Ask for an extension with the new report.",
        ),
        Line(_owners, "needs_review", _W, "blocks more than was approved", "Look at the new report."),
        Line(
            _security, "needs_review", _W, "blocks more than was approved", "Revoke it, or decide on its extension."
        ),
    ),
    "voided": (
        Line(_requester, "voided", _I, "nothing blocks any more", "Install without the exception."),
        Line(_owners, "voided", _I, "nothing blocks any more", "Nothing; the exception is void."),
    ),
    "revoked": (
        Line(
            _requester,
            "exception_revoked",
            _C,
            "your exception is revoked",
            "Do not install; roll back if you did.",
        ),
        Line(
            _owners,
            "exception_revoked",
            _W,
            "an exception for your plugin is revoked",
            "Check whether it is running anywhere.",
        ),
        Line(
            _security, "exception_revoked", _W, "an exception is revoked", "Check whether it is running anywhere."
        ),
    ),
    "heads_up": (
        Line(_requester, "exception_ends", _W, "your exception ends at {until}", "Use it or ask for an extension."),
    ),
    "expired": (
        Line(_requester, "exception_expired", _I, "your exception has expired", "Ask again if you still need it."),
    ),
    "execution_failed": (
        Line(_owners, "execution_failed", _W, "an installation under an exception failed", "Look at it."),
    ),
    "execution_rolled_back": (
        Line(
            _requester, "execution_rolled_back", _W, "the installation was rolled back", "The earlier version runs."
        ),
        Line(_owners, "execution_rolled_back", _W, "your plugin was rolled back", "The earlier version runs."),
    ),
    "execution_cancelled": (
        Line(_requester, "execution_cancelled", _I, "the installation was cancelled", "The earlier version runs."),
    ),
    "orphaned": (
        Line(
            _actor,
            "decision_refused",
            _W,
            "no request arrived for your decision",
            "Decide again, with the right id.",
        ),
    ),
}
REFUSED = (Line(_actor, "refused", _W, "what you asked for is refused", "Correct what the reason names."),)
ALARM = (Line(_security, "security_event", _C, "a decision or report was refused", "Find out who sent it."),)
GATHERED = frozenset({"needs_review", "voided"})
