"""The keys of statements: public ones from a JWKS (RFC 7517), and the private key of a publisher."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from pydantic import BaseModel, ValidationError

from processors.documents import json_text
from processors.errors import DocumentRefused, shorten

DEVELOPMENT: Final = "compat_guard_development"
"""Member of a JWK that was created for development."""

SMALLEST_RSA: Final = 2048
"""Bits."""

_LIMIT: Final = 256 * 1024
_PUBLIC: Final = ("kty", "crv", "x", "y", "n", "e", "kid")
_PRIVATE: Final = (*_PUBLIC, "d", "p", "q", "dp", "dq", "qi")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`algorithms` are those that this very key can sign with: a signature never chooses how it is checked.

    `revoked_at` is milliseconds since the epoch; None if the key is not revoked.
    """

    kid: str
    key: Key = field(repr=False)
    algorithms: frozenset[str]
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, and the algorithm that it signs with."""

    kid: str
    key: Key = field(repr=False)
    algorithm: str


class _Jwks(BaseModel):
    keys: list[dict[str, Any]]


def read_public_keys(text: bytes | str, *, development: bool = False) -> tuple[PublicKey, ...]:
    """The keys of a JWKS. Raises DocumentRefused. One bad key makes the whole set invalid, so that it is noticed.

    `revoked_at` (seconds since the epoch) is our own extension: what the broker took later is refused. A
    development key is refused unless `development` says that it is expected.
    """
    try:
        members = _Jwks.model_validate(json_text.load(text, limit=_LIMIT)).keys
    except ValidationError:
        raise DocumentRefused("keys", "expected a JWKS with a list of keys") from None
    if not members:
        raise DocumentRefused("keys", "there is no key; `compat-guard matrix keys` makes one")
    return tuple(_public(member, f"keys[{at}]", development) for at, member in enumerate(members))


def read_signer(text: bytes | str) -> Signer:
    """A publisher's private key, as `new_signing_key` makes it. Raises DocumentRefused."""
    member: Any = json_text.load(text, limit=_LIMIT)
    if not isinstance(member, dict) or not isinstance(cast("dict[str, Any]", member).get("d"), str):
        raise DocumentRefused("", "expected a private key as a JWK; `compat-guard matrix keys` makes one")
    key = _imported(cast("dict[str, Any]", member), _PRIVATE, "key")
    kid = cast("dict[str, Any]", member).get("kid")
    if not isinstance(kid, str):
        raise DocumentRefused("kid", "expected a text: it says which of the public keys a signature is for")
    return Signer(kid, key, _PREFERRED[_kind(key, "key")])


def new_signing_key(name: str, *, development: bool = False) -> str:
    """A private Ed25519 key as a JWK.

    Its id is the name and some random digits, so that a rotation never repeats an id.
    """
    kid = f"{name}-{secrets.token_hex(4)}"
    key = OKPKey.generate_key("Ed25519", {"kid": kid})
    member: dict[str, Any] = {**key.as_dict(private=True), **({DEVELOPMENT: True} if development else {})}
    return json.dumps(member, indent=1)


def public_half(text: bytes | str) -> dict[str, Any]:
    """The member of a JWKS for a private key. Raises DocumentRefused."""
    read_signer(text)
    member: dict[str, Any] = json_text.load(text, limit=_LIMIT)
    return {name: value for name, value in member.items() if name in (*_PUBLIC, DEVELOPMENT)}


def _public(member: Mapping[str, Any], where: str, development: bool) -> PublicKey:
    if "d" in member or member.get("kty") == "oct":
        raise DocumentRefused(where, "expected a public key, found a secret; publish public keys only")
    kid = member.get("kid")
    if not isinstance(kid, str):
        raise DocumentRefused(where, "expected a key with a `kid`")
    if member.get(DEVELOPMENT) and not development:
        raise DocumentRefused(where, "this key was made on a laptop and is good for loopback only")
    key = _imported(member, _PUBLIC, where)
    return PublicKey(kid, key, _ALGORITHMS[_kind(key, where)], revoked_at(member, where))


def _imported(member: Mapping[str, Any], names: tuple[str, ...], where: str) -> Key:
    plain: dict[str, str | list[str]] = {name: str(member[name]) for name in names if name in member}
    try:
        return JWKRegistry.import_key(plain)
    except (JoseError, LookupError, ValueError, TypeError) as error:  # LookupError: an unknown curve
        raise DocumentRefused(where, f"it is not a key: {shorten(str(error))}") from None


def _kind(key: Key, where: str) -> str:
    match key:
        case ECKey() if key.curve_name == "P-256":
            return "P-256"
        case OKPKey() if key.curve_name == "Ed25519":
            return "Ed25519"
        case RSAKey() if key.public_key.key_size >= SMALLEST_RSA:
            return "RSA"
        case _:
            raise DocumentRefused(where, f"expected a P-256 or Ed25519 key, or RSA of {SMALLEST_RSA} bits at least")


_ALGORITHMS: Final = {
    "P-256": frozenset({"ES256"}),
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
    "RSA": frozenset({"RS256", "PS256"}),
}
_PREFERRED: Final = {"P-256": "ES256", "Ed25519": "Ed25519", "RSA": "PS256"}


def revoked_at(member: Mapping[str, Any], where: str) -> int | None:
    """When a key of a JWKS was revoked, in milliseconds since the epoch. Raises DocumentRefused at `where`."""
    seconds = member.get("revoked_at")
    if seconds is None:
        return None
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise DocumentRefused(where, f"expected `revoked_at` in whole seconds, found `{shorten(str(seconds))}`")
    return seconds * 1000
