"""An identity provider for tests of the gateway: keys, tokens, and every way in which a token can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import warnings
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://login.platform.example"
AUDIENCE = "compat-guard"
KID = "login-1"
LIFETIME = 3600
"""Seconds, the longest that the gateway believes: modules make tokens when they are collected."""


@cache
def signing_key(kid: str = KID) -> ECKey:
    """The same key for the same id as long as the tests run."""
    return ECKey.generate_key("P-256", {"kid": kid})


@cache
def rsa_key(kid: str = "login-rsa", size: int = 2048) -> RSAKey:
    with warnings.catch_warnings(action="ignore"):  # a short one is made to be refused
        return RSAKey.generate_key(size, {"kid": kid})


def jwks(*kids: str) -> bytes:
    """What the provider publishes: signing keys, and one for encryption, as providers do."""
    keys = [dict(signing_key(kid).as_dict(private=False)) for kid in kids or (KID,)]
    encryption = {**rsa_key("encryption").as_dict(private=False), "use": "enc", "alg": "RSA-OAEP"}
    return json.dumps({"keys": [*keys, dict(rsa_key().as_dict(private=False)), encryption]}).encode()


def claims(subject: str = "alice", *, roles: tuple[str, ...] = ("deployer",), **more: Any) -> dict[str, Any]:
    """What the provider says of somebody who has just logged in. None leaves a claim out."""
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "sub": subject,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LIFETIME,
        "tenant": "acme",
        "groups": list(roles),
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}


def token(payload: dict[str, Any] | None = None, *, kid: str = KID, **header: Any) -> str:
    """An access token over the claims, those of alice by default."""
    said = claims() if payload is None else payload
    head = {"alg": "ES256", "kid": kid, "typ": "at+jwt", **header}
    return jws.serialize_compact(head, json.dumps(said), signing_key(kid), algorithms=["ES256"])


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def resigned(header: dict[str, Any], payload: dict[str, Any] | None = None) -> str:
    """A token under a header that no library would write, with a signature that fits it."""
    signed = f"{part(header)}.{part(claims() if payload is None else payload)}"
    algorithm = jws.JWSRegistry.algorithms["ES256"]
    signature = base64.urlsafe_b64encode(algorithm.sign(signed.encode(), signing_key())).decode().rstrip("=")
    return f"{signed}.{signature}"


def hmac_with_the_public_key() -> str:
    """What a verifier accepts that takes the algorithm from the token and the key from the JWKS."""
    signed = f"{part({'alg': 'HS256', 'kid': KID, 'typ': 'at+jwt'})}.{part(claims())}"
    secret = signing_key().as_pem(private=False)
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def bad_tokens() -> dict[str, str]:
    """By what is wrong with it. The wrong role is not among them: such a token is good, and admits to nothing."""
    now = int(time.time())
    header = {"alg": "ES256", "kid": KID, "typ": "at+jwt"}
    attacker = "https://attacker.example/keys"
    return {
        "expired": token(claims(iat=now - 900, exp=now - 600)),
        "not valid yet": token(claims(iat=now + 600, exp=now + 900)),
        "another audience": token(claims(aud="another-service")),
        "another issuer": token(claims(iss="https://login.attacker.example")),
        "alg none": f"{part({**header, 'alg': 'none'})}.{part(claims())}.",
        "HS256 with the public key": hmac_with_the_public_key(),
        "jku": resigned({**header, "kid": "theirs", "jku": attacker}),
        "jwk": resigned({**header, "kid": "theirs", "jwk": dict(signing_key().as_dict(private=False))}),
        "crit": resigned({**header, "crit": ["exp"]}),
        "kid is a path": resigned({**header, "kid": "../../etc/passwd"}),
        "20 kB": token(claims(padding="x" * 20_000)),
        "ID token": token(claims(nonce="n-0S6_WzA2Mj")),
        "edited after signing": edited(token()),
        "lives for a day": token(claims(iat=now, exp=now + 86_400)),
        "names nobody": token(claims(sub="")),
        "of another type": token(typ="id_token"),
        "signed by another key": token(kid="elsewhere-1"),
    }


def edited(good: str) -> str:
    head, _, signature = good.split(".")
    return f"{head}.{part(claims(roles=('admin',)))}.{signature}"
