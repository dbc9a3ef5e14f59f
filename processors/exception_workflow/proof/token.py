"""A compact JWS as a proof: is it well-formed, who signed it, for whom, and is it valid in time?

Every check raises Objection with its own reason, in a fixed order; the first failure is reported. Time is the
broker's time of the record, so that a replay gives the same answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from processors.documents import json_text
from processors.errors import DocumentRefused
from processors.events.exceptions import Person, ProofKind
from processors.exception_workflow.config import Issuer, ProofRules, Proves
from processors.exception_workflow.proof.claims import Claims
from processors.exception_workflow.proof.keys import KeyRing, TrustedKey
from processors.exception_workflow.rules.reasons import Objection, Reason

PROOF_LIMIT = 16 * 1024
"""The most characters of a proof, together with the decision that may accompany it."""


class Proof(NamedTuple):
    """The proof in a record.

    `decision` is the canonical JSON whose hash is the nonce of an ID token for a decision.
    """

    kind: ProofKind
    token: str
    decision: str | None = None


def claims_of(proof: Proof) -> dict[str, Any]:
    """The payload, not judged yet; empty if there is no token."""
    if len(proof.token) + len(proof.decision or "") > PROOF_LIMIT:
        raise Objection(Reason.PROOF_TOO_LARGE, f"a proof has at most {PROOF_LIMIT} characters")
    if not proof.token:
        return {}
    parts = proof.token.split(".")
    if len(parts) != 3:
        raise Objection(Reason.PROOF_MALFORMED, "the proof is not a compact JWS of three parts")
    return _json_part(parts[1], "payload")


def authenticate(
    proof: Proof, claims: Claims, what: Proves, types: frozenset[str], keys: KeyRing, rules: ProofRules, at: int
) -> Person:
    """The person that the token identifies, after all checks that do not depend on what it proves.

    `claims` have the form of `claims.TOKEN`. `types` are the values of `typ` that are accepted.
    """
    header = _header(proof.token)
    issuer = _signed(proof.token, header, keys, at).issuer
    _vouched(claims, header, proof.kind, issuer, what, types)
    _in_time(claims, rules, at)
    return _person(claims, issuer)


def canonical(document: Claims) -> str:
    """The only text form of a document that is hashed: sorted keys, no spaces, UTF-8 without escapes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def nonce(text: str) -> str:
    """The value that the identity provider puts into an ID token: base64url of sha256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _json_part(part: str, which: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value: Any = json_text.load(raw, limit=PROOF_LIMIT)
    except (ValueError, DocumentRefused):
        raise Objection(Reason.PROOF_MALFORMED, f"the {which} of the proof is not strict JSON") from None
    if not isinstance(value, dict):
        raise Objection(Reason.PROOF_MALFORMED, f"the {which} of the proof is not an object")
    return value  # pyright: ignore[reportUnknownVariableType] - json


def _header(token: str) -> Claims:
    header = _json_part(token.split(".", maxsplit=1)[0], "header")
    if "crit" in header or "b64" in header:
        raise Objection(Reason.PROOF_MALFORMED, "the proof's header asks for extensions that are not understood")
    return header


def _signed(token: str, header: Claims, keys: KeyRing, at: int) -> TrustedKey:
    """Checks alg, kid and signature.

    The algorithm must be one of the key's own: a token never chooses how it is checked.
    """
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
        raise Objection(Reason.KEY_REVOKED, "the key had been revoked when the proof arrived")
    return signed


_ALLOWED = frozenset({"ES256", "EdDSA", "Ed25519", "RS256", "PS256"})
_SAME = {"EdDSA": "Ed25519"}
"""The older name for Ed25519 of RFC 9864; our keys have no other curve."""


def _matches(token: str, key: TrustedKey, alg: str) -> bool:
    """Whether the key signed the first two parts of the token, byte for byte (RFC 7515, section 5.2)."""
    signed, _, signature = token.rpartition(".")
    algorithm = JWSRegistry.algorithms[_SAME.get(alg, alg)]
    try:
        return algorithm.verify(signed.encode(), urlsafe_b64decode(signature.encode()), key.key)
    except (JoseError, ValueError):
        return False


def _vouched(
    claims: Claims, header: Claims, kind: ProofKind, issuer: Issuer, what: Proves, types: frozenset[str]
) -> None:
    """Checks iss, aud and typ, and that this issuer may prove this, with this kind of token."""
    if claims["iss"] != issuer.issuer:
        raise Objection(Reason.UNKNOWN_ISSUER, "the key belongs to another issuer than the proof names")
    audience = claims.get("aud")
    if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Objection(Reason.WRONG_AUDIENCE, "the proof was made for somebody else")
    if str(header.get("typ", "")).lower() not in types:
        raise Objection(Reason.WRONG_TYPE, "the proof is a token of another type")
    if kind not in issuer.kinds or what not in issuer.proves:
        raise Objection(Reason.PROOF_KIND_REFUSED, f"this issuer does not prove {what} in this way")


def _in_time(claims: Claims, rules: ProofRules, at: int) -> None:
    exp, iat = milliseconds(claims["exp"]), milliseconds(claims["iat"])
    if at >= exp + rules.skew:
        raise Objection(Reason.PROOF_EXPIRED, "the proof had expired when it arrived")
    if max(iat, milliseconds(claims.get("nbf") or 0)) > at + rules.skew:
        raise Objection(Reason.PROOF_NOT_YET_VALID, "the proof was not valid yet when it arrived")
    if exp - iat > rules.max_life:
        raise Objection(Reason.PROOF_LIVES_TOO_LONG, "the proof is valid for longer than the policy permits")


def _person(claims: Claims, issuer: Issuer) -> Person:
    """The person, together with the identity provider that knows them."""
    provider = claims.get("idp") or issuer.issuer
    if provider != issuer.issuer and provider not in issuer.speaks_for:
        raise Objection(Reason.UNKNOWN_ISSUER, "the issuer may not speak for people of that identity provider")
    return Person(provider, claims["sub"])
