"""A token is believed only if nothing about it is wrong, and each thing that is wrong is said."""

from __future__ import annotations

import json
import time

import pytest
from examples.issuers import AUDIENCE, ISSUER, KID, bad_tokens, claims, jwks, rsa_key, token
from joserfc import jws

from processors.configuration.gateway import TokenIssuer
from processors.gateway.auth.keys import read_keys
from processors.gateway.auth.tokens import TokenRefused, read, verify

PLATFORM = TokenIssuer(issuer=ISSUER, audiences=(AUDIENCE, "compat-guard-web"), jwks="https://login.example/keys")


def judged(text: str, issuer: TokenIssuer = PLATFORM, at: float | None = None) -> str:
    unverified = read(text)
    keys = read_keys(jwks()).get(unverified.kid, ())
    return str(verify(unverified, issuer, keys, time.time() if at is None else at)["sub"])


def test_a_token_of_the_issuer_for_us_is_believed() -> None:
    assert judged(token()) == "alice"


@pytest.mark.parametrize("audience", [AUDIENCE, "compat-guard-web", ["another", AUDIENCE]])
def test_any_of_our_audiences_will_do(audience: object) -> None:
    assert judged(token(claims(aud=audience))) == "alice"


@pytest.mark.parametrize("what", [what for what in bad_tokens() if what != "another issuer"])
def test_a_token_with_anything_wrong_is_refused(what: str) -> None:
    with pytest.raises(TokenRefused):
        judged(bad_tokens()[what])


def test_the_issuer_is_compared_exactly() -> None:
    """A slash more is another issuer."""
    with pytest.raises(TokenRefused, match="another issuer"):
        judged(token(claims(iss=f"{ISSUER}/")))


def test_a_strong_algorithm_that_the_issuer_does_not_use_is_refused() -> None:
    only_rsa = PLATFORM.model_copy(update={"algorithms": ("RS256",)})
    with pytest.raises(TokenRefused, match="algorithm"):
        judged(token(), only_rsa)


def test_an_rsa_key_verifies_ps256() -> None:
    signed = jws.serialize_compact(
        {"alg": "PS256", "kid": "login-rsa"}, json.dumps(claims()), rsa_key(), algorithms=["PS256"]
    )
    assert judged(signed) == "alice"


def test_a_minute_of_skew_is_forgiven_and_no_more() -> None:
    now = int(time.time())
    signed = token(claims(iat=now - 300, exp=now))
    assert judged(signed, at=now + 59) == "alice"
    with pytest.raises(TokenRefused, match="expired"):
        judged(signed, at=now + 61)


def test_a_clock_two_minutes_off_lets_no_token_live_longer_than_it_is_off() -> None:
    """One that is slow refuses who has just logged in, one that is fast whoever has a minute left."""
    now = int(time.time())
    fresh, leaving = token(claims(iat=now)), token(claims(iat=now - 300, exp=now + 50))
    with pytest.raises(TokenRefused, match="not valid yet"):
        judged(fresh, at=now - 120)
    assert judged(fresh, at=now + 120) == "alice"
    with pytest.raises(TokenRefused, match="expired"):
        judged(leaving, at=now + 120)
    with pytest.raises(TokenRefused, match="expired"):
        judged(token(claims(iat=now - 900, exp=now - 181)), at=now - 120)


def test_keys_that_cannot_sign_for_us_are_passed_over() -> None:
    """Providers publish encryption keys beside the others."""
    assert set(read_keys(jwks())) == {KID, "login-rsa"}
