"""The keys that are trusted to sign decisions, read from a JWKS (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from pydantic import BaseModel, ValidationError, field_validator

from processors.documents import json_text
from processors.errors import DocumentRefused, shorten
from processors.exception_workflow.config import Issuer
from processors.trust.keys import revoked_at

JWKS_LIMIT = 256 * 1024
SMALLEST_RSA = 2048
"""Bits."""

DEVELOPMENT = "compat_guard_development"
"""Member of a JWK that was created for development."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and its issuer. `revoked_at` is milliseconds since the epoch; None if it is not revoked."""

    kid: str
    issuer: Issuer
    key: Key
    algorithms: frozenset[str]
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All trusted keys at one moment, by key id. Two issuers may use the same id."""

    by_kid: Mapping[str, tuple[TrustedKey, ...]]

    def find(self, kid: str) -> tuple[TrustedKey, ...]:
        return self.by_kid.get(kid, ())


def ring(keys: Sequence[TrustedKey]) -> KeyRing:
    by_kid: dict[str, tuple[TrustedKey, ...]] = {}
    for key in keys:
        by_kid[key.kid] = (*by_kid.get(key.kid, ()), key)
    return KeyRing(MappingProxyType(by_kid))


def read_jwks(text: bytes | str, issuer: Issuer) -> tuple[TrustedKey, ...]:
    """The keys of an issuer. Raises DocumentRefused. One bad key makes the whole set invalid, so that it is
    noticed.

    `revoked_at` (seconds since the epoch) is our own extension: tokens that the broker took later are refused. A
    retired key stays in the set for 365 days, so that a replay of the topics gives the same answers.
    """
    try:
        members = _Jwks.model_validate(json_text.load(text, limit=JWKS_LIMIT)).keys
    except ValidationError:
        raise DocumentRefused("keys", "expected a JWKS with a list of keys, each with a `kid`") from None
    return tuple(_key(member, issuer, f"keys[{at}]") for at, member in enumerate(members))


class _Jwks(BaseModel):
    keys: list[dict[str, Any]]

    @field_validator("keys")
    @classmethod
    def _named(cls, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not all(isinstance(key.get("kid"), str) for key in keys):
            raise ValueError("a key without `kid`")
        return keys


def _key(member: Mapping[str, Any], issuer: Issuer, where: str) -> TrustedKey:
    if "d" in member or member.get("kty") == "oct":
        raise DocumentRefused(where, "expected a public key, found a secret; publish public keys only")
    if member.get(DEVELOPMENT) and not issuer.development:
        raise DocumentRefused(where, "this key was made for development; its issuer is not marked so")
    plain: dict[str, str | list[str]] = {name: str(value) for name, value in member.items() if name in _JWK_MEMBERS}
    try:
        key = JWKRegistry.import_key(plain)
    except (JoseError, LookupError, ValueError, TypeError) as error:  # LookupError: an unknown curve
        raise DocumentRefused(where, f"`{shorten(member['kid'])}` is not a key: {shorten(str(error))}") from None
    return TrustedKey(
        member["kid"],
        issuer,
        key,
        _algorithms(key, where) & frozenset(issuer.algorithms),
        revoked_at(member, where),
    )


_JWK_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e", "kid"})


def _algorithms(key: Key, where: str) -> frozenset[str]:
    """The algorithms that this very key can sign with: the token never chooses the algorithm."""
    match key:
        case ECKey() if key.curve_name == "P-256":
            return frozenset({"ES256"})
        case OKPKey() if key.curve_name == "Ed25519":
            return frozenset({"EdDSA", "Ed25519"})
        case RSAKey() if key.public_key.key_size >= SMALLEST_RSA:
            return frozenset({"RS256", "PS256"})
        case _:
            raise DocumentRefused(where, f"expected a P-256 or Ed25519 key, or RSA of {SMALLEST_RSA} bits at least")
