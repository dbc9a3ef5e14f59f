"""Converts moves to events, and records to the values that the rules judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from processors.events.addresses import report_address
from processors.events.exceptions import ExceptionDecided, Status, scope_from_record
from processors.events.ids import minted
from processors.events.install_requests import InstallRequested
from processors.events.notifications import NotificationRequested
from processors.events.results import CompatibilityChecked, InstallBlocked
from processors.events.vocabulary import Action, Band, Verdict
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.notices import Notice
from processors.exception_workflow.rules.reasons import SECURITY_REASONS
from processors.exception_workflow.rules.rechecks import recheck_id
from processors.exception_workflow.rules.scope import Acknowledgement, Plan, Use, basis_of
from processors.exception_workflow.rules.timers import REVIEWING, current_step, step_deadline
from processors.exception_workflow.rules.transitions import Move
from processors.exception_workflow.state.case import ExceptionCase

Record = Mapping[str, Any]


def use_of(envelope: Record, report: Record, digest: str, *, overtaken: bool) -> Use:
    """A use as the rules see it. `digest` is the digest of the report's bytes as received."""
    ack, plan = envelope["acknowledgement"], envelope["monitoring"]
    return Use(
        use_id=envelope["use_id"],
        request_id=envelope["request_id"],
        exception_id=envelope["exception_id"] or "",
        scope=scope_from_record(envelope),
        operator=envelope["operator"],
        target=envelope["target"],
        action=envelope["action"],
        stated_digest=envelope["report_digest"],
        acknowledgement=None if ack is None else Acknowledgement(ack["by"], ack["at"]),
        plan=None if plan is None else Plan(plan["profile"], tuple(plan["addons"]), plan["owner"]),
        recheck_of=envelope["recheck_of"],
        basis=basis_of(report, digest),
        overtaken=overtaken,
    )


def decided(move: Move, policy: ExceptionPolicy) -> ExceptionDecided:
    """The one event of a move. The band is the one that the guard reported; UNKNOWN until it has reported."""
    case, fact = move.after, move.fact
    return ExceptionDecided(
        event_id=event_id(move),
        exception_id=case.exception_id,
        round=case.round,
        sequence=case.sequence,
        at=fact.at,
        event=fact.event,
        from_state=move.before.status,
        to_state=case.status,
        actor=fact.actor,
        reason_code=fact.reasons[0] if fact.reasons else "",
        reason=", ".join(fact.reasons[1:]) + (": " if fact.reasons[1:] else "") + fact.text,
        step=fact.step,
        approval_id=case.approval_id,
        scope=case.scope,
        request_id=fact.request_id,
        report_digest=case.report_digest,
        finding_ids=case.finding_ids,
        band=case.band if case.status is not Status.CHECKING else Band.UNKNOWN,
        valid_until=case.valid_until,
        waiting_step=_waiting_step(case, policy),
        due_at=step_deadline(case, policy) if case.exists else None,
        monitoring_profile=case.profile if case.approval_id else "",
        uses=case.uses,
        caused_by=fact.cause,
        security_event=bool(SECURITY_REASONS & set(fact.reasons)),
    )


def _waiting_step(case: ExceptionCase, policy: ExceptionPolicy) -> str:
    step = current_step(case, policy) if case.status in REVIEWING else None
    return step.name if step is not None else ""


def event_id(move: Move) -> str:
    """The id of a change comes from its sequence number, whatever caused it; that of any other event from its
    cause."""
    case = move.after
    if case.sequence != move.before.sequence:
        return minted("exception-change", case.exception_id, str(case.sequence))
    return minted("exception-fact", case.exception_id, move.fact.cause, move.fact.event)


def result(envelope: Record, use: Use, move: Move, at: int, pages: str) -> CompatibilityChecked:
    """The one result for a request under an exception, or for a re-check.

    `at` is the broker's time of the use, `pages` the public address of the gateway.
    """
    if use.recheck_of is not None:
        verdict, refusals = Verdict(envelope["verdict"]), ()
    else:
        refusals = move.fact.reasons
        verdict = Verdict.BLOCK if refusals else Verdict.ALLOW_BY_EXCEPTION
    let_pass = verdict is Verdict.ALLOW_BY_EXCEPTION
    return CompatibilityChecked(
        result_id=minted("result", use.use_id, verdict, *refusals),
        **_shared(envelope, verdict, refusals, at, pages),
        approval_id=move.after.approval_id if let_pass else None,
        monitoring_profile=move.after.profile if let_pass else None,
    )


def block(envelope: Record, use: Use, reasons: Sequence[str], at: int, pages: str) -> InstallBlocked:
    """The block that goes with a refused use; `at` and `pages` as for `result`."""
    return InstallBlocked(
        block_id=minted("block", use.use_id, *reasons),
        **_shared(envelope, Verdict.BLOCK, reasons, at, pages),
        finding_codes=tuple(sorted({finding.code for finding in use.basis.blocking})),
    )


_SHARED = (
    "request_id", "tenant", "operator", "environment", "target", "action", "plugin_id", "plugin_version",
    "plugin_name", "host", "host_version", "band", "score", "exception_id", "recheck_of", "matrix_expires_at",
    "exception_possible", "report_digest",
)  # fmt: skip


def _shared(envelope: Record, verdict: Verdict, refusals: Sequence[str], at: int, pages: str) -> dict[str, Any]:
    return {
        **{name: envelope[name] for name in _SHARED},
        "decided_at": at,
        "report_url": report_address(pages, envelope["request_id"]),
        "verdict": verdict,
        "refusals": tuple(refusals),
    }


def recheck(case: ExceptionCase, at: int) -> InstallRequested:
    """The question of a live exception, sent to the checker again."""
    return InstallRequested(
        request_id=recheck_id(case),
        requested_at=at,
        plugin_id=case.scope.plugin_id,
        tenant=case.scope.tenant,
        operator="exception-workflow",
        environment=case.scope.environment,
        target="",
        action=Action.UNKNOWN,
        exception_id=case.exception_id,
        recheck_of=case.request_id,
    )


def notification(
    notice: Notice, id: str, at: int, case: ExceptionCase | None, count: int = 1
) -> NotificationRequested:
    """The notification event for a notice. One that gathers several exceptions belongs to no single `case`."""
    return NotificationRequested(
        notification_id=id,
        at=at,
        recipient=notice.recipient,
        kind=notice.kind,
        urgency=notice.urgency,
        subject=notice.subject,
        body=notice.body,
        link=notice.link,
        tenant=case.scope.tenant if case is not None else "",
        request_id=(case.checked_as or case.request_id or None) if case is not None else None,
        exception_id=case.exception_id if case is not None else None,
        count=count,
    )
