"""Is this an access token of a trusted issuer? Checks in a fixed order; the first failure is reported.

Pure: keys and time are arguments. The issuer and the key determine the algorithm, never the token, and nothing in a
token's header says where keys come from.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from processors.configuration.gateway import TokenIssuer
from processors.documents import json_text
from processors.documents.scalars import unprintable
from processors.errors import DocumentRefused
from processors.gateway.auth.keys import VerifyingKey

LARGEST_TOKEN = 16 * 1024
"""Characters."""

SKEW = 60
LONGEST_LIFE = 3600
"""Seconds."""

_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash")
"""Claims of ID tokens, which tell a client who logged in, and which no API must accept."""


class TokenRefused(Exception):
    """Why a token is refused, in words that help its owner and reveal nothing to others."""


class Unverified(NamedTuple):
    """A decoded token that has not been verified. Nothing in it may be relied on."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    token: str

    @property
    def issuer(self) -> str:
        return str(self.claims.get("iss", ""))

    @property
    def kid(self) -> str:
        return str(self.header.get("kid", ""))


def read(token: str) -> Unverified:
    """The parts of a compact JWS. Raises TokenRefused."""
    if len(token) > LARGEST_TOKEN:
        raise TokenRefused(f"a token has at most {LARGEST_TOKEN} characters")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRefused("the token is not a signed JWT of three parts")
    return Unverified(_json(parts[0]), _json(parts[1]), token)


def verify(
    unverified: Unverified, issuer: TokenIssuer, keys: Sequence[VerifyingKey], now: float
) -> Mapping[str, Any]:
    """The claims of an access token. `keys` are the issuer's with the token's key id; `now` is seconds.

    Raises TokenRefused.
    """
    header, claims, token = unverified
    _signed(header, token, issuer, keys)
    _meant_for_us(header, claims, issuer)
    _in_time(claims, now)
    return claims


def verify_id_token(
    unverified: Unverified,
    issuer: TokenIssuer,
    client_id: str,
    nonce: str,
    keys: Sequence[VerifyingKey],
    now: float,
    *,
    since: float | None = None,
) -> Mapping[str, Any]:
    """The claims of an ID token (OpenID Connect Core, section 3.1.3.7) that answers a login with this nonce.

    `since` demands that the person logged in at that second or later. Raises TokenRefused.
    """
    header, claims, token = unverified
    _signed(header, token, issuer, keys)
    if claims.get("iss") != issuer.issuer:
        raise TokenRefused("the token comes from another issuer than its key")
    audience = claims.get("aud")
    audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
    if client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != client_id):
        raise TokenRefused("the ID token was issued for another client")
    if claims.get("nonce") != nonce:
        raise TokenRefused("the ID token answers another login")
    _named(claims)
    _in_time(claims, now)
    if since is not None and (_seconds(claims, "auth_time") or 0) < since - SKEW:
        raise TokenRefused("the identity provider did not ask for a new login")
    return claims


def _json(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value: Any = json_text.load(raw, limit=LARGEST_TOKEN)
    except (ValueError, DocumentRefused):
        raise TokenRefused("the token cannot be read as a JWT") from None
    if not isinstance(value, dict):
        raise TokenRefused("the token cannot be read as a JWT")
    return cast("dict[str, Any]", value)


def _signed(header: Mapping[str, Any], token: str, issuer: TokenIssuer, keys: Sequence[VerifyingKey]) -> None:
    if "crit" in header or "b64" in header:
        raise TokenRefused("the token's header demands extensions that are not understood")
    alg = header.get("alg")
    if alg not in issuer.algorithms:
        raise TokenRefused("the token is signed with an algorithm that its issuer does not use")
    if not any(_matches(token, key, alg) for key in keys if alg in key.algorithms):
        raise TokenRefused("the token is not signed with a key of its issuer")


def _matches(token: str, key: VerifyingKey, alg: str) -> bool:
    """Whether the key signed the first two parts of the token, byte for byte (RFC 7515, section 5.2)."""
    signed, _, signature = token.rpartition(".")
    algorithm = JWSRegistry.algorithms["Ed25519" if alg == "EdDSA" else alg]
    try:
        return algorithm.verify(signed.encode(), urlsafe_b64decode(signature.encode()), key.key)
    except (JoseError, ValueError):
        return False


def _meant_for_us(header: Mapping[str, Any], claims: Mapping[str, Any], issuer: TokenIssuer) -> None:
    if claims.get("iss") != issuer.issuer:
        raise TokenRefused("the token comes from another issuer than its key")
    audience = claims.get("aud")
    audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
    if not any(wanted in audiences for wanted in issuer.audiences):
        raise TokenRefused("the token was issued for another audience")
    kind = header.get("typ", "JWT")
    if str(kind).lower().removeprefix("application/") not in {known.lower() for known in issuer.types}:
        raise TokenRefused("the token is not an access token")
    if any(name in claims for name in _OF_ID_TOKENS) or str(claims.get("typ", "")).upper() in ("ID", "REFRESH"):
        raise TokenRefused("the token is an ID token, which admits nobody; send an access token")
    _named(claims)


def _named(claims: Mapping[str, Any]) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or unprintable(subject) or not subject.strip():
        raise TokenRefused("the token names nobody in `sub`")


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    issued, expires, begins = (_seconds(claims, name) for name in ("iat", "exp", "nbf"))
    if issued is None or expires is None:
        raise TokenRefused("the token states no `iat` or no `exp`")
    if expires - issued > LONGEST_LIFE:
        raise TokenRefused(f"the token lives longer than {LONGEST_LIFE} s")
    if now >= expires + SKEW:
        raise TokenRefused("the token has expired")
    if max(issued, begins or 0) > now + SKEW:
        raise TokenRefused("the token is not valid yet")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 253_402_300_800:
        raise TokenRefused(f"the token's `{name}` is not a time")
    return float(value)
