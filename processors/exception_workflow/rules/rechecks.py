"""Handles the guard's answers to re-checks: before a review opens, and whenever the matrix has changed.

A request contains the report of its block, which its sender could have forged. So the review opens only after the
checker has answered the question again with exactly that report. An approved exception is re-checked whenever the
matrix has changed.
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
    """The request id of the latest re-check. Only its answer counts: no other question can move an exception."""
    return minted("recheck", case.exception_id, str(case.round), str(case.rechecks))


def recheck_sent(case: ExceptionCase, sent: RecheckSent, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    return case._replace(mark=sent.mark, rechecks=case.rechecks + 1)


def rechecked(case: ExceptionCase, asked: UseReported, policy: ExceptionPolicy) -> ExceptionCase:
    """Judge a live exception under the current matrix: no longer needed, as approved, or more than was approved."""
    basis = _answer(case, asked)
    case = case._replace(latest_report=basis.digest)
    if not basis.blocking:
        return case._replace(status=Status.VOIDED)
    never = any(policy.is_never(finding.code) for finding in basis.blocking)
    if new_findings(case, basis) or has_risen(case, basis) or never:
        return case._replace(status=Status.NEEDS_REVIEW)
    return case


def more_than_approved(case: ExceptionCase, basis: Basis) -> str:
    """What a fresh report contains beyond what was approved, in words; empty if nothing."""
    approved = set(case.finding_ids)
    codes = dict.fromkeys(finding.code for finding in basis.blocking if not finding.is_among(approved))
    new = f"blocks that nobody approved: {', '.join(codes)}" if codes else ""
    risen = f"the risk is {basis.band} now, {case.band} was approved" if has_risen(case, basis) else ""
    return "; ".join(filter(None, (new, risen)))


def confirmed(case: ExceptionCase, answered: UseReported, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    """Open the review if the guard gives the report that the request is based on; the timers start now."""
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
    """Why the guard's answer does not confirm a request; None if it does.

    Under the same matrix and policies, the same question has the same report, to the byte. So a different report
    was not the guard's. If matrix or policies have changed since, it may have been.
    """
    if basis.digest == case.report_digest:
        return None
    return Reason.REPORT_ALTERED if basis.basis_digest == case.basis_digest else Reason.REPORT_NOT_CONFIRMED


def is_known(case: ExceptionCase, digest: str) -> bool:
    """Whether the guard gave this very report when it was asked about the exception."""
    return bool(digest) and digest in (case.report_digest, case.latest_report)


def _answer(case: ExceptionCase, answered: UseReported) -> Basis:
    """What the guard says, if this is its answer to the latest re-check and no other."""
    basis = answered.use.basis
    asked = (case.input_digest, digest_of(case.subject))  # which differ if an earlier build stored the question
    if answered.request_id != recheck_id(case) or basis.input_digest not in asked:
        raise Objection(Reason.NOT_ASKED, "this is no answer to the latest re-check")
    return basis
