"""May whoever looks decide an exception, and if not, why not? The workflow's own rule is asked before they sign."""

from __future__ import annotations

from typing import Final, NamedTuple

from processors.events.exceptions import Person, ProofKind
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.proof.verify import Decision
from processors.exception_workflow.rules.decisions import approve
from processors.exception_workflow.rules.reasons import Objection
from processors.exception_workflow.rules.timers import REVIEWING, current_step
from processors.exception_workflow.rules.triggers import Decided
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.console.advice import refusal
from processors.gateway.console.visitors import Visitor

_NEVER: Final = "not yet signed"


class Standing(NamedTuple):
    """`why_not` is empty where the visitor may decide; `elsewhere` says that a service's signature is needed."""

    may_decide: bool
    why_not: str = ""
    elsewhere: bool = False


def standing_of(
    case: ExceptionCase, policy: ExceptionPolicy, visitor: Visitor, at: int, *, signs: bool
) -> Standing:
    """`signs` is whether a login here proves a decision at all; `at` is milliseconds."""
    if case.status not in REVIEWING:
        return Standing(False)
    step = current_step(case, policy)
    if step is None:
        return Standing(False)
    elsewhere = not signs or ProofKind.ID_TOKEN_NONCE not in policy.band_rule(case.band).proofs
    kind = policy.band_rule(case.band).proofs[0] if elsewhere else ProofKind.ID_TOKEN_NONCE
    decision = Decision(
        person=Person(visitor.who.issuer, visitor.who.subject),
        roles=visitor.workflow_roles,
        exception_id=case.exception_id,
        report_digest=case.report_digest,
        step=step.name,
        verb=Verb.APPROVE,
        reason="",
        jti=_NEVER,
        kind=kind,
        spent_until=at,
    )
    try:
        approve(case, Decided(decision=decision, at=at, cause=_NEVER), policy)
    except Objection as objection:
        return Standing(False, _sentence(objection), elsewhere)
    return Standing(True, "", elsewhere)


def _sentence(objection: Objection) -> str:
    """As the rest of a sentence."""
    said, sentence = str(objection), refusal(objection.reasons[0]).sentence
    begun = sentence[:1].lower() + sentence[1:]
    return f"{begun} ({said})" if said else begun
