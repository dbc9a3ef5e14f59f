"""The keys of one issuer, read from its JWKS and kept while it is unavailable.

An attacker chooses the key ids in tokens, so they must not cause many fetches, nor push out keys that are in use:
there is at most one fetch in thirty seconds, and a failed one changes nothing. Keys that are not in the set then
are refused, without storing the refusal.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import structlog
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from processors.bootstrap.keys_url import fetch
from processors.configuration.gateway import TokenIssuer
from processors.documents import json_text
from processors.errors import DocumentRefused, GuardError, SettingsInvalid, Unavailable

LARGEST_JWKS = 1024 * 1024
"""Bytes."""

FETCH_AT_MOST_EVERY = 30.0
REFRESH_AFTER = 300.0
STALE_AFTER = 3600.0
"""Seconds."""

_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid")
_SHORTEST_RSA = 2048

_log = structlog.get_logger(__name__)


class KeysStale(Unavailable):
    """The issuer's keys could not be fetched for so long that none of them is trusted any more."""


class VerifyingKey(NamedTuple):
    """A public key, and the algorithms that it can sign with."""

    kid: str
    key: Key
    algorithms: frozenset[str]


class IssuerKeys:
    """Keys by id. Belongs to the event loop; `fetch` is called in a thread, and raises GuardError."""

    def __init__(
        self, issuer: str, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._keys: Mapping[str, Sequence[VerifyingKey]] = {}
        self._read_at = self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()

    async def find(self, kid: str) -> Sequence[VerifyingKey]:
        """The keys with that id, none if the issuer has no such key. Raises KeysStale."""
        age = self._clock() - self._read_at
        if kid in self._keys and age < STALE_AFTER:
            if age > REFRESH_AFTER:
                self._refresh_soon()
            return self._keys[kid]
        await self._refresh()
        if self._clock() - self._read_at >= STALE_AFTER:
            raise KeysStale(f"the keys of `{self._issuer}` cannot be had; nobody's token can be verified")
        return self._keys.get(kid, ())

    def _refresh_soon(self) -> None:
        """In parallel to the present request, which has its key."""
        if not self._background and self._may_fetch():
            task = asyncio.create_task(self._refresh())
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _refresh(self) -> None:
        async with self._fetching:
            if not self._may_fetch():
                return
            self._tried_at = self._clock()
            try:
                self._keys = await asyncio.to_thread(lambda: read_keys(self._fetch()))
                self._read_at = self._clock()
            except GuardError as error:
                _log.error("keys could not be read", issuer=self._issuer, message=str(error))

    def _may_fetch(self) -> bool:
        return self._clock() - self._tried_at >= FETCH_AT_MOST_EVERY


def fetching(issuer: TokenIssuer, folder: Path) -> Callable[[], bytes]:
    """How the keys of an issuer are read: from its URL, or from a file beside the configuration.

    Raises SettingsInvalid for a CA that cannot be read.
    """
    if "://" not in issuer.jwks:
        return lambda: _file(folder / issuer.jwks)
    try:
        trusted = ssl.create_default_context(cafile=None if issuer.ca is None else str(folder / issuer.ca))
    except OSError as error:
        raise SettingsInvalid(f"gateway: the CA of `{issuer.issuer}` cannot be read: {error}") from None
    return lambda: fetch(issuer.jwks, trusted=trusted, limit=LARGEST_JWKS)


def read_keys(text: bytes) -> Mapping[str, Sequence[VerifyingKey]]:
    """The usable signing keys of a JWKS, by id; others, such as those for encryption, are skipped.

    Raises DocumentRefused if the document is not a JWKS or has no usable key.
    """
    document: Any = json_text.load(text, limit=LARGEST_JWKS)
    members: Any = cast("dict[str, Any]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise DocumentRefused("keys", "expected a JWKS with a list of keys")
    found: dict[str, list[VerifyingKey]] = {}
    for member in cast("list[Any]", members):
        key = _usable(cast("dict[str, Any]", member)) if isinstance(member, dict) else None
        if key is not None:
            found.setdefault(key.kid, []).append(key)
    if not found:
        raise DocumentRefused("keys", "expected at least one signing key with a `kid`: P-256, Ed25519 or RSA")
    return found


def _usable(member: Mapping[str, Any]) -> VerifyingKey | None:
    if not isinstance(member.get("kid"), str) or member.get("use", "sig") != "sig" or "d" in member:
        return None
    plain: dict[str, str | list[str]] = {name: str(member[name]) for name in _PUBLIC_MEMBERS if name in member}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # a key that is too short is skipped below
            key = JWKRegistry.import_key(plain)
    except (JoseError, LookupError, ValueError, TypeError):
        return None
    algorithms = _algorithms(key)
    if isinstance(stated := member.get("alg"), str):
        algorithms &= {stated} | ({"EdDSA", "Ed25519"} if stated in ("EdDSA", "Ed25519") else set())
    return VerifyingKey(str(member["kid"]), key, algorithms) if algorithms else None


def _algorithms(key: Key) -> frozenset[str]:
    match key:
        case ECKey() if key.curve_name == "P-256":
            return frozenset({"ES256"})
        case OKPKey() if key.curve_name == "Ed25519":
            return frozenset({"EdDSA", "Ed25519"})
        case RSAKey() if key.raw_value.key_size >= _SHORTEST_RSA:
            return frozenset({"RS256", "PS256"})
        case _:
            return frozenset()


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"the keys in `{path}` cannot be read: {error.strerror}") from None
