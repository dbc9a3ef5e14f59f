"""Proofs that hold, and every way in which one does not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from examples.exceptions import BOB, ID, NOON, PROVIDER, REPORT, claims, keys, policy, public_jwk, sign
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from processors.errors import DocumentRefused
from processors.events.exceptions import ProofKind
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.proof.keys import read_jwks
from processors.exception_workflow.proof.token import Proof, canonical, nonce
from processors.exception_workflow.proof.verify import Decision, verify
from processors.exception_workflow.rules.reasons import Objection, Reason


def judged(
    token: str, kind: ProofKind = ProofKind.SERVICE_JWS, decision: str | None = None, at: int = NOON
) -> Decision:
    return verify(Proof(kind, token, decision), policy().proof, keys(), at)


def reason_of(token: str, **more: Any) -> Reason:
    with pytest.raises(Objection) as caught:
        judged(token, **more)
    (reason,) = caught.value.reasons
    return reason


@pytest.mark.parametrize(("kid", "alg"), [("tool-1", "ES256"), ("tool-2", "Ed25519"), ("tool-2", "EdDSA")])
def test_a_decision_signed_by_the_approval_tool_holds(kid: str, alg: str) -> None:
    """Every algorithm on the list, with the key that can sign with it."""
    decision = judged(sign(claims(), kid=kid, alg=alg))

    assert (decision.person, decision.verb, decision.exception_id, decision.step) == (
        BOB,
        Verb.APPROVE,
        ID,
        "steward",
    )


def _parts(
    token: str,
    payload: dict[str, Any] | None = None,
    signature: str | None = None,
    header: dict[str, Any] | None = None,
) -> str:
    head, body, end = token.split(".")
    if header is not None:
        head = _encoded(header)
    if payload is not None:
        body = _encoded(payload)
    return f"{head}.{body}.{end if signature is None else signature}"


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _unsecured() -> str:
    return _parts(sign(claims()), header={"alg": "none", "kid": "tool-1"}, signature="")


def _confused() -> str:
    """HS256, with the public key of the tool as its secret."""
    public = json.dumps(public_jwk("tool-1")).encode()
    header = {"alg": "HS256", "kid": "tool-1"}
    return jws.serialize_compact(header, json.dumps(claims()), OctKey.import_key(public), algorithms=["HS256"])


def _forged() -> str:
    stranger = ECKey.generate_key("P-256", {"kid": "tool-1"})
    return jws.serialize_compact(
        {"alg": "ES256", "kid": "tool-1"}, json.dumps(claims()), stranger, algorithms=["ES256"]
    )


SECONDS = NOON // 1000


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param("", Reason.PROOF_MISSING, id="no proof"),
        pytest.param("x" * 20_000, Reason.PROOF_TOO_LARGE, id="too large"),
        pytest.param("a.b", Reason.PROOF_MALFORMED, id="two parts"),
        pytest.param("a.!!.c", Reason.PROOF_MALFORMED, id="not base64"),
        pytest.param(sign("[1]"), Reason.PROOF_MALFORMED, id="not an object"),
        pytest.param(sign('{"iat": NaN}'), Reason.PROOF_MALFORMED, id="NaN"),
        pytest.param(sign('{"iss": "a", "iss": "b"}'), Reason.PROOF_MALFORMED, id="a claim twice"),
        pytest.param(sign(claims(sub="bob\u202e")), Reason.PROOF_MALFORMED, id="reversed text"),
        pytest.param(sign(claims(sub="bob\u0000")), Reason.PROOF_MALFORMED, id="NUL"),
        pytest.param(sign(claims(reason="\ud800")), Reason.PROOF_MALFORMED, id="half a character"),
        pytest.param(sign(claims(reason="x" * 3000)), Reason.PROOF_MALFORMED, id="an endless reason"),
        pytest.param(sign(claims(exp=2**62)), Reason.PROOF_MALFORMED, id="a time of 2^62"),
        pytest.param(sign(claims(jti="")), Reason.PROOF_MALFORMED, id="no token id"),
        pytest.param(sign(claims(decision="maybe")), Reason.PROOF_MALFORMED, id="no such decision"),
        pytest.param(sign(claims(decision=["approve"])), Reason.PROOF_MALFORMED, id="a list of decisions"),
        pytest.param(_parts(sign(claims()), header={"alg": []}), Reason.ALGORITHM_REFUSED, id="a list as alg"),
        pytest.param(_parts(sign(claims()), header={"alg": {}}), Reason.ALGORITHM_REFUSED, id="an object as alg"),
        pytest.param(_unsecured(), Reason.ALGORITHM_REFUSED, id="alg none"),
        pytest.param(_confused(), Reason.ALGORITHM_REFUSED, id="HS256 with the public key"),
        pytest.param(sign(claims(), kid="tool-1", alg="ES256").replace("x", "x"), None, id="control: it holds"),
        pytest.param(sign(claims(), kid="unknown"), Reason.UNKNOWN_KEY, id="unknown key"),
        pytest.param(_forged(), Reason.BAD_SIGNATURE, id="another key under a known id"),
        pytest.param(
            _parts(sign(claims()), claims(decision="deny")), Reason.BAD_SIGNATURE, id="edited after signing"
        ),
        pytest.param(_parts(sign(claims()), signature=""), Reason.BAD_SIGNATURE, id="unsigned"),
        pytest.param(sign(claims(), kid="retired-1"), Reason.KEY_REVOKED, id="revoked key"),
        pytest.param(sign(claims(iss=PROVIDER)), Reason.UNKNOWN_ISSUER, id="issuer of another key"),
        pytest.param(sign(claims(aud="another")), Reason.WRONG_AUDIENCE, id="made for another"),
        pytest.param(sign(claims(), typ="at+jwt"), Reason.WRONG_TYPE, id="an access token"),
        pytest.param(sign(claims(exp=SECONDS - 61)), Reason.PROOF_EXPIRED, id="expired"),
        pytest.param(sign(claims(exp=0, iat=0)), Reason.PROOF_EXPIRED, id="from 1970"),
        pytest.param(sign(claims(iat=SECONDS + 61)), Reason.PROOF_NOT_YET_VALID, id="from the future"),
        pytest.param(sign(claims(nbf=SECONDS + 61)), Reason.PROOF_NOT_YET_VALID, id="not before later"),
        pytest.param(sign(claims(exp=4_080_000_000)), Reason.PROOF_LIVES_TOO_LONG, id="until 2099"),
        pytest.param(sign(claims(auth_time=SECONDS - 361)), Reason.LOGIN_TOO_OLD, id="stale login"),
        pytest.param(sign(claims(auth_time=SECONDS + 61)), Reason.LOGIN_IN_FUTURE, id="login in the future"),
        pytest.param(sign(claims(amr=["pwd"])), Reason.NO_MFA, id="one factor"),
        pytest.param(sign(claims(amr=["otp", "sms"])), Reason.NO_MFA, id="two things that are not two factors"),
    ],
)
def test_a_proof_that_does_not_hold_says_why(token: str, reason: Reason | None) -> None:
    """One reason each, the first in the order of checks."""
    if reason is None:
        judged(token)
    else:
        assert reason_of(token) is reason


def test_the_first_reason_in_order_is_told() -> None:
    """A token that is wrong in every way is refused for its algorithm, and tells a forger nothing else."""
    everything = claims(aud="another", exp=0, amr=[], auth_time=0)

    assert reason_of(sign(everything, kid="unknown")) is Reason.UNKNOWN_KEY
    assert reason_of(sign(everything)) is Reason.WRONG_AUDIENCE


def id_token(decision: str, **more: Any) -> str:
    plain = {"iss": PROVIDER, "sub": "sabine", "aud": ["guard-client"], "nonce": nonce(decision)}
    return sign({**_person(), **plain, **more}, kid="idp-1")


def _person() -> dict[str, Any]:
    whole = claims()
    return {name: whole[name] for name in ("iat", "exp", "auth_time", "amr", "roles")}


DECISION = {
    "exception_id": ID,
    "report_digest": REPORT,
    "step": "security",
    "decision": "approve",
    "reason": "gesehen, für Freitag",
    "jti": "t-1",
}


def test_an_id_token_vouches_for_the_decision_that_its_nonce_is_the_hash_of() -> None:
    """The identity provider has seen person, factors and time; the nonce binds them to the content."""
    text = canonical(DECISION)
    decision = judged(id_token(text), ProofKind.ID_TOKEN_NONCE, text)

    assert (decision.person.subject, decision.reason) == ("sabine", "gesehen, für Freitag")


@pytest.mark.parametrize(
    ("shown", "signed", "reason"),
    [
        pytest.param(
            canonical(DECISION), canonical({**DECISION, "decision": "deny"}), Reason.NONCE_MISMATCH, id="edited"
        ),
        pytest.param(json.dumps(DECISION), json.dumps(DECISION), Reason.PROOF_NOT_CANONICAL, id="not canonical"),
        pytest.param("{", "{", Reason.PROOF_MALFORMED, id="not json"),
        pytest.param('{"a":1e400}', '{"a":1e400}', Reason.PROOF_MALFORMED, id="a number without end"),
        pytest.param("[" * 5000, "[" * 5000, Reason.PROOF_MALFORMED, id="without a bottom"),
        pytest.param(None, canonical(DECISION), Reason.PROOF_MALFORMED, id="no decision"),
    ],
)
def test_an_id_token_for_another_text_proves_nothing(shown: str | None, signed: str, reason: Reason) -> None:
    """What was hashed is what counts, byte for byte."""
    assert reason_of(id_token(signed), kind=ProofKind.ID_TOKEN_NONCE, decision=shown) is reason


def test_claims_of_the_token_never_stand_in_for_the_decision() -> None:
    """A decision without a step does not take it from elsewhere in the token."""
    text = canonical({name: value for name, value in DECISION.items() if name != "step"})
    token = id_token(text, step="security")

    assert judged(token, ProofKind.ID_TOKEN_NONCE, text).step == ""


def test_an_issuer_proves_only_in_the_ways_it_may() -> None:
    """The approval tool is no identity provider."""
    text = canonical(DECISION)
    token = sign({**_person(), "iss": BOB.issuer, "sub": "bob", "aud": "compat-guard", "nonce": nonce(text)})

    assert reason_of(token, kind=ProofKind.ID_TOKEN_NONCE, decision=text) is Reason.PROOF_KIND_REFUSED


def test_a_retired_key_still_proves_what_the_broker_took_before() -> None:
    """A replay of the topics gives the same answers, because the record's time counts, not today's."""
    token = sign(claims(at=NOON - 60_000), kid="retired-1")

    assert judged(token, at=NOON - 60_000).person == BOB


@pytest.mark.parametrize(
    ("member", "words"),
    [
        pytest.param({"kty": "oct", "k": "AAAA"}, "secret", id="a secret"),
        pytest.param({**public_jwk("tool-1"), "d": "AAAA"}, "secret", id="a private key"),
        pytest.param({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "not a key", id="no point of the curve"),
        pytest.param({"kty": "RSA", "n": "_" * 170 + "8", "e": "AQAB"}, "2048", id="RSA of 1024 bits"),
        pytest.param({"kty": "EC", "crv": "nope", "x": "AA", "y": "AA"}, "not a key", id="no such curve"),
        pytest.param(
            {**public_jwk("tool-1"), "compat_guard_development": True}, "development", id="a laptop's key"
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Key size")
def test_a_set_with_a_bad_key_is_refused_whole(member: dict[str, Any], words: str) -> None:
    """Better seen at once than found out by the first approver."""
    text = json.dumps({"keys": [{"kid": "k", **member}]})

    with pytest.raises(DocumentRefused, match=words):
        read_jwks(text, policy().proof.issuers[0])
