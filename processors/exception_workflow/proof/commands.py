"""Who gave a command? Its proof names the person and is bound to the whole content of the command.

A service JWS (of the gateway, or of another service that identified the person) states the digest of the canonical
command. An ID token has it as its nonce. The report and the question that travel with a command are bound by the
report's digest, which is part of the command.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from processors.events.exceptions import ExceptionCommand, Person, ProofKind
from processors.exception_workflow.config import ProofRules, Proves
from processors.exception_workflow.proof.claims import COMMAND, COMMAND_ID_TOKEN, require
from processors.exception_workflow.proof.keys import KeyRing
from processors.exception_workflow.proof.token import Proof, authenticate, canonical, claims_of, milliseconds, nonce
from processors.exception_workflow.rules.reasons import Objection, Reason

COMMAND_TYPE = "compat-command+jwt"
_TYPES = {
    ProofKind.SERVICE_JWS: frozenset({COMMAND_TYPE}),
    ProofKind.ID_TOKEN_NONCE: frozenset({"", "jwt", "id_token"}),
}


@dataclass(frozen=True, slots=True)
class Author:
    """Who gave a command. `spent_until` is when its proof expires in any case, in milliseconds since the epoch."""

    person: Person
    spent_until: int


def signed_text(command: ExceptionCommand) -> str:
    """The canonical JSON that the signature of a command covers: everything but its time, its author and its
    proof."""
    return canonical(
        {
            "command_id": command.command_id,
            "exception_id": command.exception_id,
            "kind": command.kind.value,
            **command.scope._asdict(),
            "request_id": command.request_id,
            "report_digest": command.report_digest,
            "finding_ids": list(command.finding_ids),
            "risk_statement": command.risk_statement,
            "category": command.category.value,
            "compensating_controls": list(command.compensating_controls),
            "valid_until": command.valid_until,
            "single_use": command.single_use,
            "reason": command.reason,
        }
    )


def digest_of(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def verify_command(command: ExceptionCommand, rules: ProofRules, keys: KeyRing, at: int) -> Author:
    """The author of a command. Raises Objection with the first reason why there is none.

    `at` is the broker's time of the record, in milliseconds since the epoch. For records from before commands had
    to be signed, the sender's own statement counts.
    """
    if at < rules.commands_signed_since and not command.proof:
        return Author(command.requester, at)
    proof = Proof(command.proof_kind, command.proof or "")
    claims = claims_of(proof)
    if not proof.token:
        raise Objection(Reason.PROOF_MISSING, "the command carries no proof")
    by_token = proof.kind is ProofKind.ID_TOKEN_NONCE
    require(claims, COMMAND_ID_TOKEN if by_token else COMMAND)
    types = _TYPES.get(proof.kind, frozenset[str]())
    person = authenticate(proof, claims, Proves.COMMANDS, types, keys, rules, at)
    text = signed_text(command)
    bound = claims["nonce"] == nonce(text) if by_token else claims["command_digest"] == digest_of(text)
    if not bound:
        raise Objection(Reason.OTHER_COMMAND, "the proof was made for another command")
    stated(command, person)
    return Author(person, milliseconds(claims["exp"]) + rules.skew)


def stated(command: ExceptionCommand, proved: Person) -> None:
    """Requires that the stated requester is the one that the proof names: others read the record, not the proof.

    Raises Objection. A missing issuer contradicts nothing.
    """
    subject, issuer = command.requester.subject, command.requester.issuer
    if subject != proved.subject or issuer not in ("", proved.issuer):
        raise Objection(Reason.REQUESTER_NOT_PROVED, "the command states another requester than its proof")
