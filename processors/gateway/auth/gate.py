"""From the header `Authorization` to a principal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from processors.configuration.gateway import GatewayConfig, Role, TokenIssuer
from processors.gateway.auth.keys import IssuerKeys, VerifyingKey, fetching
from processors.gateway.auth.principal import Principal, principal
from processors.gateway.auth.tokens import LARGEST_TOKEN, TokenRefused, read, verify

ON_THIS_MACHINE: Final = Principal(
    issuer="urn:compat-guard:development",
    subject="developer",
    tenants=frozenset({"default"}),
    roles=frozenset(Role),
)
"""The caller without a token in the profile of the embedded stack."""


class Gate:
    """Verifies tokens. Belongs to the event loop. The configuration is read for every token."""

    def __init__(self, config: Callable[[], GatewayConfig], folder: Path, *, open_to_all: bool) -> None:
        """File names are relative to `folder`; `open_to_all` admits callers without a token as a developer."""
        self._config, self._folder, self._open = config, folder, open_to_all
        self._keys: dict[TokenIssuer, IssuerKeys] = {}

    async def admit(self, authorization: str | None) -> Principal:
        """Raises TokenRefused, or KeysStale if it cannot be verified."""
        if authorization is None:
            if self._open:
                return ON_THIS_MACHINE
            raise TokenRefused("there is no token; send `Authorization: Bearer TOKEN`")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(authorization) > LARGEST_TOKEN + len("Bearer "):
            raise TokenRefused("expected `Authorization: Bearer TOKEN`, with one access token")
        config = self._config()
        unverified = read(token.strip())
        issuer = next((known for known in config.issuers if known.issuer == unverified.issuer), None)
        if issuer is None:
            raise TokenRefused("the token comes from an issuer that is not trusted here")
        keys = await self._keys_of(issuer).find(unverified.kid)
        return principal(verify(unverified, issuer, keys, time.time()), issuer, config)

    async def keys_of(self, issuer: TokenIssuer, kid: str) -> Sequence[VerifyingKey]:
        """The keys of a configured issuer under an id. Raises KeysStale."""
        return await self._keys_of(issuer).find(kid)

    def _keys_of(self, issuer: TokenIssuer) -> IssuerKeys:
        if issuer not in self._keys:
            self._keys[issuer] = IssuerKeys(issuer.issuer, fetching(issuer, self._folder))
        return self._keys[issuer]
