"""Does a decision carry its proof? Checks in a fixed order, each with its reason; the first that fails is told.

Two kinds of proof end in the same claims. A service JWS is signed by an approval tool that identified the person.
An ID token is signed by the identity provider, and its nonce is the hash of the canonical decision, so that person,
multi-factor login, time and content are vouched for at once. Time is the broker's time of the record: a replay
gives the same answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from processors.documents import json_text
from processors.documents.scalars import unprintable
from processors.errors import DocumentRefused
from processors.events.exceptions import Person, ProofKind
from processors.exception_workflow.config import Issuer, ProofRules
from processors.exception_workflow.proof.keys import KeyRing, TrustedKey
from processors.exception_workflow.rules.reasons import Objection, Reason

PROOF_LIMIT = 16 * 1024
REASON_LIMIT = 2000
TOKEN_TYPES = frozenset({"", "jwt", "compat-approval+jwt", "id_token"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


class Verb(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    REVOKE = "revoke"


class Proof(NamedTuple):
    """What a record carries. `decision` is the canonical JSON behind an ID token's nonce."""

    kind: ProofKind
    token: str
    decision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided, proved. Times are milliseconds; `spent_until` is when the token is refused anyway."""

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


Claims = Mapping[str, Any]


def verify(proof: Proof, rules: ProofRules, keys: KeyRing, at: int) -> Decision:
    """Check all of a proof that does not depend on the exception. Raises Objection with the first reason.

    `at` is the broker's time of the record, in milliseconds since the epoch.
    """
    claims = _shape(proof)
    header = _header(proof.token)
    key = _signed(proof.token, header, keys, at)
    _vouched(claims, header, proof.kind, key.issuer)
    _in_time(claims, rules, at)
    _multi_factor(claims, rules, at)
    return _decision(claims, proof, rules)


def canonical(decision: Claims) -> str:
    """The one text of a decision that its hash is taken of: sorted keys, no spaces, UTF-8 as it is."""
    return json.dumps(decision, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def nonce(decision: str) -> str:
    """What the identity provider is asked to put into an ID token: base64url of sha256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(decision.encode()).digest()).decode().rstrip("=")


def _shape(proof: Proof) -> Claims:
    """Size, canonical bytes, model, and that there is a proof at all."""
    if len(proof.token) + len(proof.decision or "") > PROOF_LIMIT:
        raise Objection(Reason.PROOF_TOO_LARGE, f"a proof has at most {PROOF_LIMIT} characters")
    claims = _claims_of(proof.token) if proof.token else {}
    if proof.kind is ProofKind.ID_TOKEN_NONCE and proof.decision is not None:
        claims = _with_decision(claims, proof.decision)
    if not proof.token:
        raise Objection(Reason.PROOF_MISSING, "the decision carries no proof")
    for name, holds in _MODEL.items():
        if not holds(claims.get(name)):
            raise Objection(Reason.PROOF_MALFORMED, f"claim `{name}` is missing or malformed")
    return claims


def _claims_of(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        raise Objection(Reason.PROOF_MALFORMED, "the proof is not a compact JWS of three parts")
    return _json_part(parts[1], "payload")


def _json_part(part: str, which: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value: Any = json_text.load(raw, limit=PROOF_LIMIT)
    except (ValueError, DocumentRefused):
        raise Objection(Reason.PROOF_MALFORMED, f"the {which} of the proof is not strict JSON") from None
    if not isinstance(value, dict):
        raise Objection(Reason.PROOF_MALFORMED, f"the {which} of the proof is not an object")
    return value  # pyright: ignore[reportUnknownVariableType] - json


def _with_decision(claims: Claims, text: str) -> dict[str, Any]:
    try:
        decision: Any = json_text.load(text, limit=PROOF_LIMIT)
        is_canonical = isinstance(decision, dict) and canonical(decision) == text  # pyright: ignore[reportUnknownArgumentType]
    except (DocumentRefused, ValueError, RecursionError):  # numbers that no JSON has, such as 1e400
        raise Objection(Reason.PROOF_MALFORMED, "the decision behind the nonce is not strict JSON") from None
    if not is_canonical:
        raise Objection(Reason.PROOF_NOT_CANONICAL, "the decision behind the nonce is not canonical JSON")
    return {**claims, **{name: decision.get(name) for name in _OF_DECISION}}  # pyright: ignore[reportUnknownMemberType]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 512 and not unprintable(value) and not _BIDI & set(value)


def _is_reason(value: Any) -> bool:
    return value is None or (
        isinstance(value, str) and len(value) <= REASON_LIMIT and not unprintable(value) and not _BIDI & set(value)
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 64 and all(map(_is_text, value))  # pyright: ignore


def _is_time(value: Any) -> bool:
    """Seconds since the epoch, within what a calendar has."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 253_402_300_800


def _optional(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


_OF_DECISION = (
    "exception_id", "report_digest", "step", "decision", "reason", "jti", "valid_until", "monitoring_profile",
)  # fmt: skip
_MODEL: Mapping[str, Callable[[Any], bool]] = {
    "iss": _is_text,
    "sub": _is_text,
    "iat": _is_time,
    "exp": _is_time,
    "nbf": _optional(_is_time),
    "auth_time": _is_time,
    "amr": _is_texts,
    "roles": _is_texts,
    "exception_id": _is_text,
    "report_digest": _is_text,
    "step": _optional(_is_text),
    "decision": lambda value: isinstance(value, str) and value in set(Verb),
    "reason": _is_reason,
    "jti": _is_text,
    "valid_until": _optional(_is_time),
    "monitoring_profile": _optional(_is_text),
}


def _header(token: str) -> Claims:
    header = _json_part(token.split(".", maxsplit=1)[0], "header")
    if "crit" in header or "b64" in header:
        raise Objection(Reason.PROOF_MALFORMED, "the proof's header asks for extensions that are not understood")
    return header


def _signed(token: str, header: Claims, keys: KeyRing, at: int) -> TrustedKey:
    """alg, kid, signature. The algorithm must be one of the key's own: a token never chooses how it is checked."""
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or alg not in _ALLOWED:
        raise Objection(Reason.ALGORITHM_REFUSED, "the proof's algorithm is not on the list of those allowed")
    candidates = keys.find(kid) if isinstance(kid, str) else ()
    if not candidates:
        raise Objection(Reason.UNKNOWN_KEY, "no trusted issuer has the key that the proof names")
    able = [key for key in candidates if alg in key.algorithms]
    if not able:
        raise Objection(Reason.ALGORITHM_REFUSED, "the key that the proof names does not sign with this algorithm")
    signed = next((key for key in able if _matches(token, key, alg)), None)
    if signed is None:
        raise Objection(Reason.BAD_SIGNATURE, "the signature is not that of the key that the proof names")
    if signed.revoked_at is not None and at >= signed.revoked_at:
        raise Objection(Reason.KEY_REVOKED, "the key had been revoked when the decision arrived")
    return signed


_ALLOWED = frozenset({"ES256", "EdDSA", "Ed25519", "RS256", "PS256"})
_SAME = {"EdDSA": "Ed25519"}
"""The older name of what RFC 9864 calls Ed25519; our keys have no other curve."""


def _matches(token: str, key: TrustedKey, alg: str) -> bool:
    """Whether the key signed the token's first two parts, exactly as they stand (RFC 7515, section 5.2)."""
    signed, _, signature = token.rpartition(".")
    algorithm = JWSRegistry.algorithms[_SAME.get(alg, alg)]
    try:
        return algorithm.verify(signed.encode(), urlsafe_b64decode(signature.encode()), key.key)
    except (JoseError, ValueError):
        return False


def _vouched(claims: Claims, header: Claims, kind: ProofKind, issuer: Issuer) -> None:
    """iss, aud, typ, and that this issuer proves in this way."""
    if claims["iss"] != issuer.issuer:
        raise Objection(Reason.UNKNOWN_ISSUER, "the key belongs to another issuer than the proof names")
    audience = claims.get("aud")
    if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Objection(Reason.WRONG_AUDIENCE, "the proof was made for somebody else")
    if str(header.get("typ", "")).lower() not in TOKEN_TYPES:
        raise Objection(Reason.WRONG_TYPE, "the proof is a token of another type")
    if kind not in issuer.kinds:
        raise Objection(Reason.PROOF_KIND_REFUSED, "this issuer does not prove decisions in this way")


def _in_time(claims: Claims, rules: ProofRules, at: int) -> None:
    exp, iat = _ms(claims["exp"]), _ms(claims["iat"])
    if at >= exp + rules.skew:
        raise Objection(Reason.PROOF_EXPIRED, "the proof had expired when the decision arrived")
    if max(iat, _ms(claims.get("nbf") or 0)) > at + rules.skew:
        raise Objection(Reason.PROOF_NOT_YET_VALID, "the proof was not valid yet when the decision arrived")
    if exp - iat > rules.max_life:
        raise Objection(Reason.PROOF_LIVES_TOO_LONG, "the proof is valid for longer than a decision may take")


def _multi_factor(claims: Claims, rules: ProofRules, at: int) -> None:
    login, methods = _ms(claims["auth_time"]), frozenset(claims["amr"])
    if login > at + rules.skew:
        raise Objection(Reason.LOGIN_IN_FUTURE, "the login lies in the future")
    if at - login > rules.mfa.max_age + rules.skew:
        raise Objection(Reason.LOGIN_TOO_OLD, "the login is too old; log in again and decide")
    if not any(methods.issuperset(together) for together in rules.mfa.methods):
        raise Objection(Reason.NO_MFA, "the login had a single factor; log in with a second one and decide")


def _decision(claims: Claims, proof: Proof, rules: ProofRules) -> Decision:
    """Model is checked, signature too: only the binding of an ID token to its decision is left."""
    if proof.kind is ProofKind.ID_TOKEN_NONCE and claims.get("nonce") != nonce(proof.decision or ""):
        raise Objection(Reason.NONCE_MISMATCH, "the ID token was not issued for this decision")
    until = claims.get("valid_until")
    return Decision(
        person=Person(claims["iss"], claims["sub"]),
        roles=frozenset(claims["roles"]),
        exception_id=claims["exception_id"],
        report_digest=claims["report_digest"],
        step=claims.get("step") or "",
        verb=Verb(claims["decision"]),
        reason=claims.get("reason") or "",
        jti=claims["jti"],
        kind=proof.kind,
        spent_until=_ms(claims["exp"]) + rules.skew,
        valid_until=None if until is None else _ms(until),
        monitoring_profile=claims.get("monitoring_profile") or "",
    )


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
