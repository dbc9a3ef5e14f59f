"""Applies approvers' decisions to an exception, after their proof was verified."""

from __future__ import annotations

import uuid

from processors.errors import shorten
from processors.events.exceptions import Status
from processors.exception_workflow.config import ExceptionPolicy, Step
from processors.exception_workflow.proof.people import same_person
from processors.exception_workflow.proof.verify import Decision
from processors.exception_workflow.rules.monitoring import at_least
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.requests import spend, too_long
from processors.exception_workflow.rules.timers import current_step
from processors.exception_workflow.rules.triggers import Decided
from processors.exception_workflow.state.case import Approval, ExceptionCase, Spent

_APPROVALS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:compat-guard:approval")


def bound(case: ExceptionCase, decided: Decided) -> None:
    """The proof is for this exception and a report of it. Checked before everything that depends on the state."""
    decision = decided.decision
    if decision.exception_id != case.exception_id:
        raise Objection(Reason.OTHER_EXCEPTION, "the proof is about another exception")
    if decision.report_digest not in case.reports:
        raise Objection(Reason.OTHER_REPORT, "the proof is about another report")


def approve(case: ExceptionCase, decided: Decided, policy: ExceptionPolicy) -> ExceptionCase:
    decision = decided.decision
    step = _judged(case, decided, policy)
    until = _limited(case, decided, policy)
    profile = decision.monitoring_profile or case.profile
    if not at_least(policy, profile, case.profile):
        enough = [name for name in policy.monitoring if at_least(policy, name, case.profile)]
        what = "demands less than the risk does" if profile in policy.monitoring else "is not a profile"
        raise Objection(Reason.MONITORING_TOO_WEAK, f"`{shorten(profile)}` {what}; {' or '.join(enough)} would do")
    signed = case._replace(
        approvals=(*case.approvals, Approval(step.name, decision.person, decided.at)),
        spent=_spent(case, decided),
        asked_until=until,
        profile=profile,
    )
    following = current_step(signed, policy)
    if following is None:
        return _grant(signed, decided.at, policy)
    since = case.step_since if following == step else decided.at
    return signed._replace(status=Status.IN_REVIEW, step_since=since)


def deny(case: ExceptionCase, decided: Decided, policy: ExceptionPolicy) -> ExceptionCase:
    _judged(case, decided, policy)
    _reasoned(decided.decision)
    return case._replace(status=Status.REJECTED, spent=_spent(case, decided))


def revoke(case: ExceptionCase, decided: Decided, policy: ExceptionPolicy) -> ExceptionCase:
    """End an approval at once. A requester with the role may revoke their own exception."""
    decision = decided.decision
    _unused(case, decision)
    if not decision.roles & set(policy.revocation_roles):
        raise Objection(Reason.WRONG_ROLE, f"revoking is for {' or '.join(policy.revocation_roles)}")
    _reasoned(decision)
    return case._replace(status=Status.REVOKED, spent=_spent(case, decided))


def _spent(case: ExceptionCase, decided: Decided) -> tuple[Spent, ...]:
    return spend(case.spent, Spent(decided.decision.jti, decided.decision.spent_until), decided.at)


def _judged(case: ExceptionCase, decided: Decided, policy: ExceptionPolicy) -> Step:
    """Checks report, token, step, role and person, in this order."""
    decision = decided.decision
    if decision.report_digest != case.report_digest:
        raise Objection(Reason.REPORT_SUPERSEDED, "the proof is about an earlier report of this exception")
    _unused(case, decision)
    if decision.kind not in policy.band_rule(case.band).proofs:
        raise Objection(Reason.PROOF_KIND_REFUSED, "at this risk a decision is not proved in this way")
    step = current_step(case, policy)
    if step is None or decision.step != step.name:
        raise Objection(Reason.WRONG_STEP, f"the step to decide is `{step.name if step else 'none'}`")
    roles = policy.thresholds[step.threshold].roles
    if not decision.roles & set(roles):
        raise Objection(Reason.WRONG_ROLE, f"step `{step.name}` is for {' or '.join(roles)}")
    _somebody_else(case, decision, policy)
    return step


def _unused(case: ExceptionCase, decision: Decision) -> None:
    if any(spent.jti == decision.jti for spent in case.spent):
        raise Objection(Reason.REPLAYED, "the proof has been used before")


def _somebody_else(case: ExceptionCase, decision: Decision, policy: ExceptionPolicy) -> None:
    """The texts name nobody: they are kept for years, while people are stored as pseudonyms."""
    person = decision.person
    if same_person(person, case.requester):
        raise Objection(Reason.SELF_APPROVAL, "who asked for it wants to decide it")
    owners = policy.owners_of(case.scope.plugin_id)
    if any(same_person(person, person._replace(subject=one)) for owner in owners for one in owner.people):
        raise Objection(Reason.OWNER_APPROVAL, f"an owner of `{shorten(case.scope.plugin_id)}` wants to decide it")
    given = next((approval for approval in case.approvals if same_person(person, approval.person)), None)
    if given is not None:
        raise Objection(Reason.SAME_PERSON_TWICE, f"the same person approved step `{given.step}`")


def _limited(case: ExceptionCase, decided: Decided, policy: ExceptionPolicy) -> int | None:
    """The end of validity after this approver's limit: the smallest of all limits counts."""
    wanted = decided.decision.valid_until
    if wanted is None:
        return case.asked_until
    if wanted <= decided.at:
        raise Objection(Reason.VALIDITY_IN_PAST, "the validity approved is over already")
    if wanted - decided.at > policy.max_validity(case.band):
        raise too_long(wanted - decided.at, policy.max_validity(case.band))
    return wanted if case.asked_until is None else min(wanted, case.asked_until)


def _grant(case: ExceptionCase, at: int, policy: ExceptionPolicy) -> ExceptionCase:
    granted = case.granted_at or at
    longest = granted + policy.max_validity(case.band)
    return case._replace(
        status=Status.APPROVED,
        approval_id=str(uuid.uuid5(_APPROVALS, f"{case.exception_id}/{case.round}/{case.sequence + 1}")),
        granted_at=granted,
        approved_at=at,
        valid_until=longest if case.asked_until is None else min(longest, case.asked_until),
        fired=(),
    )


def _reasoned(decision: Decision) -> None:
    if not decision.reason.strip():
        raise Objection(Reason.REASON_MISSING, "say why")
