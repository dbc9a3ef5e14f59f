"""What the guard itself answers, when the workflow asks: before a review opens, and whenever the matrix has moved.

A request brings the report of its block, which its sender could have written. So nobody is asked to decide before
the checker has answered the question again, and has given that very report. An approved exception is asked about
again under every standing of the matrix.
"""

from __future__ import annotations

from processors.documents.canonical import digest_of
from processors.events.exceptions import Status
from processors.events.ids import minted
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.scope import Basis, has_risen, new_findings
from processors.exception_workflow.rules.triggers import RecheckSent, UseReported
from processors.exception_workflow.state.case import ExceptionCase


def recheck_id(case: ExceptionCase) -> str:
    """The request id of the latest re-check. Only its answer counts: nobody else's question moves an exception."""
    return minted("recheck", case.exception_id, str(case.round), str(case.rechecks))


def recheck_sent(case: ExceptionCase, sent: RecheckSent, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    return case._replace(mark=sent.mark, rechecks=case.rechecks + 1)


def rechecked(case: ExceptionCase, asked: UseReported, policy: ExceptionPolicy) -> ExceptionCase:
    """Judge a live exception under the matrix as it stands: needless, as approved, or more than was approved."""
    basis = _answer(case, asked)
    case = case._replace(latest_report=basis.digest)
    if not basis.blocking:
        return case._replace(status=Status.VOIDED)
    never = any(policy.is_never(finding.code) for finding in basis.blocking)
    if new_findings(case, basis) or has_risen(case, basis) or never:
        return case._replace(status=Status.NEEDS_REVIEW)
    return case


def more_than_approved(case: ExceptionCase, basis: Basis) -> str:
    """What a fresh report says beyond what was approved, in words; empty where it says no more."""
    approved = set(case.finding_ids)
    codes = dict.fromkeys(finding.code for finding in basis.blocking if not finding.is_among(approved))
    new = f"blocks that nobody approved: {', '.join(codes)}" if codes else ""
    risen = f"the risk is {basis.band} now, {case.band} was approved" if has_risen(case, basis) else ""
    return "; ".join(filter(None, (new, risen)))


def confirmed(case: ExceptionCase, answered: UseReported, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    """Open the review if the guard gives the report that the request rests on; its time begins now."""
    basis = _answer(case, answered)
    if not basis.blocking:
        return case._replace(status=Status.VOIDED)
    if doubt(case, basis) is not None:
        return case._replace(status=Status.REJECTED)
    return case._replace(
        status=Status.PENDING,
        opened_at=answered.at,
        step_since=answered.at,
        fired=(),
        checked_as=answered.request_id,
    )


def doubt(case: ExceptionCase, basis: Basis) -> Reason | None:
    """Why the guard's answer does not bear out a request; None if it does.

    Judged by the same matrix and policies, the same question has the same report, to the byte. So another one was
    not the guard's. Where those have moved since, it may have been.
    """
    if basis.digest == case.report_digest:
        return None
    return Reason.REPORT_ALTERED if basis.basis_digest == case.basis_digest else Reason.REPORT_NOT_CONFIRMED


def is_known(case: ExceptionCase, digest: str) -> bool:
    """Whether the guard gave this very report when it was asked about the exception."""
    return bool(digest) and digest in (case.report_digest, case.latest_report)


def _answer(case: ExceptionCase, answered: UseReported) -> Basis:
    """What the guard says, if this is its answer to the latest question and no other."""
    basis = answered.use.basis
    asked = (case.input_digest, digest_of(case.subject))  # which differ where an earlier build kept the question
    if answered.request_id != recheck_id(case) or basis.input_digest not in asked:
        raise Objection(Reason.NOT_ASKED, "this is no answer to the latest re-check")
    return basis
