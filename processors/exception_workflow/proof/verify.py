"""Verifies the proof of a decision: checks in a fixed order, each with its reason; the first failure is reported.

There are two kinds of proof with the same claims. A service JWS is signed by an approval tool that identified the
person. An ID token is signed by the identity provider, and its nonce is the hash of the canonical decision, so that
it proves person, multi-factor login, time and content at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from processors.documents import json_text
from processors.errors import DocumentRefused
from processors.events.exceptions import Person, ProofKind
from processors.exception_workflow.config import ProofRules, Proves
from processors.exception_workflow.proof.claims import CONTENT, DECISION, Claims, Verb, require
from processors.exception_workflow.proof.keys import KeyRing
from processors.exception_workflow.proof.token import (
    PROOF_LIMIT,
    Proof,
    authenticate,
    canonical,
    claims_of,
    milliseconds,
    nonce,
)
from processors.exception_workflow.rules.reasons import Objection, Reason

TOKEN_TYPES = frozenset({"", "jwt", "compat-approval+jwt", "id_token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's proved decision. Times are milliseconds; `spent_until` is when the token expires in any case."""

    person: Person
    roles: frozenset[str]
    exception_id: str
    report_digest: str
    step: str
    verb: Verb
    reason: str
    jti: str
    kind: ProofKind
    spent_until: int
    valid_until: int | None = None
    monitoring_profile: str = ""


def verify(proof: Proof, rules: ProofRules, keys: KeyRing, at: int) -> Decision:
    """Check everything in a proof that does not depend on the exception. Raises Objection with the first reason.

    `at` is the broker's time of the record, in milliseconds since the epoch.
    """
    claims = _shape(proof)
    person = authenticate(proof, claims, Proves.DECISIONS, TOKEN_TYPES, keys, rules, at)
    _multi_factor(claims, rules, at)
    if proof.kind is ProofKind.ID_TOKEN_NONCE and claims.get("nonce") != nonce(proof.decision or ""):
        raise Objection(Reason.NONCE_MISMATCH, "the ID token was not issued for this decision")
    until = claims.get("valid_until")
    return Decision(
        person=person,
        roles=frozenset(claims["roles"]),
        exception_id=claims["exception_id"],
        report_digest=claims["report_digest"],
        step=claims.get("step") or "",
        verb=Verb(claims["decision"]),
        reason=claims.get("reason") or "",
        jti=claims["jti"],
        kind=proof.kind,
        spent_until=milliseconds(claims["exp"]) + rules.skew,
        valid_until=None if until is None else milliseconds(until),
        monitoring_profile=claims.get("monitoring_profile") or "",
    )


def _shape(proof: Proof) -> Claims:
    """Checks the size, that the bytes are canonical, that there is a proof, and every claim."""
    claims = claims_of(proof)
    if proof.kind is ProofKind.ID_TOKEN_NONCE and proof.decision is not None:
        claims = _with_decision(claims, proof.decision)
    if not proof.token:
        raise Objection(Reason.PROOF_MISSING, "the decision carries no proof")
    require(claims, DECISION)
    return claims


def _with_decision(claims: Claims, text: str) -> dict[str, Any]:
    try:
        decision: Any = json_text.load(text, limit=PROOF_LIMIT)
        is_canonical = isinstance(decision, dict) and canonical(decision) == text  # pyright: ignore[reportUnknownArgumentType]
    except (DocumentRefused, ValueError, RecursionError):  # numbers that JSON does not have, such as 1e400
        raise Objection(Reason.PROOF_MALFORMED, "the decision behind the nonce is not strict JSON") from None
    if not is_canonical:
        raise Objection(Reason.PROOF_NOT_CANONICAL, "the decision behind the nonce is not canonical JSON")
    return {**claims, **{claim.name: decision.get(claim.name) for claim in CONTENT}}  # pyright: ignore[reportUnknownMemberType]


def _multi_factor(claims: Claims, rules: ProofRules, at: int) -> None:
    login, methods = milliseconds(claims["auth_time"]), frozenset(claims["amr"])
    if login > at + rules.skew:
        raise Objection(Reason.LOGIN_IN_FUTURE, "the login lies in the future")
    if at - login > rules.mfa.max_age + rules.skew:
        raise Objection(Reason.LOGIN_TOO_OLD, "the login is too old; log in again and decide")
    if not any(methods.issuperset(together) for together in rules.mfa.methods):
        raise Objection(Reason.NO_MFA, "the login had a single factor; log in with a second one and decide")
