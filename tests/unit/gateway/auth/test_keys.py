"""Key ids are the attacker's choice: they decide neither how often the issuer is asked nor what is kept."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable

import pytest
from examples.issuers import KID, jwks, rsa_key
from joserfc.jwk import OctKey

from processors.errors import DocumentRefused, Unavailable
from processors.gateway.auth.keys import IssuerKeys, KeysStale, read_keys


class Provider:
    """Gives its keys, or not, and counts how often it is asked. Its clock is turned by hand."""

    def __init__(self) -> None:
        self.asked, self.now, self.away, self.kids = 0, 0.0, False, (KID,)

    def fetch(self) -> bytes:
        self.asked += 1
        if self.away:
            raise Unavailable("the provider is away")
        return jwks(*self.kids)

    def keys(self) -> IssuerKeys:
        return IssuerKeys("https://login.example", self.fetch, lambda: self.now)


def play(scene: Callable[[Provider, IssuerKeys], Awaitable[None]]) -> None:
    async def run() -> None:
        provider = Provider()
        await scene(provider, provider.keys())

    asyncio.run(run())


def test_a_thousand_unknown_key_ids_cost_one_fetch_and_good_ones_pass() -> None:
    async def scene(provider: Provider, keys: IssuerKeys) -> None:
        assert await keys.find(KID)
        flood = [keys.find(str(uuid.uuid4())) for _ in range(1000)]
        assert not any(await asyncio.gather(*flood))
        assert provider.asked == 1
        assert await keys.find(KID)

    play(scene)


def test_a_rotated_key_is_found_after_half_a_minute() -> None:
    async def scene(provider: Provider, keys: IssuerKeys) -> None:
        assert await keys.find(KID)
        provider.kids, provider.now = (KID, "login-2"), 31.0
        assert await keys.find("login-2")
        assert provider.asked == 2

    play(scene)


def test_keys_stay_while_the_provider_is_away_for_an_hour_at_most() -> None:
    async def scene(provider: Provider, keys: IssuerKeys) -> None:
        assert await keys.find(KID)
        provider.away, provider.now = True, 3599.0
        assert await keys.find(KID)
        provider.now = 3700.0
        with pytest.raises(KeysStale):
            await keys.find(KID)

    play(scene)


def test_a_failed_fetch_takes_no_key_away() -> None:
    async def scene(provider: Provider, keys: IssuerKeys) -> None:
        assert await keys.find(KID)
        provider.away, provider.now = True, 31.0
        assert not await keys.find("unknown")
        assert await keys.find(KID)

    play(scene)


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [], "keys": []}', b"<html>", b'{"keys": [1, null]}'],
)
def test_what_is_no_set_of_keys_is_refused(document: bytes) -> None:
    with pytest.raises(DocumentRefused):
        read_keys(document)


def test_a_shared_secret_and_a_short_key_are_no_keys() -> None:
    secret = {**OctKey.generate_key(256, {"kid": "secret"}).as_dict(), "kid": "secret"}
    short = dict(rsa_key("short", 1024).as_dict(private=False))
    with pytest.raises(DocumentRefused, match="at least one signing key"):
        read_keys(json.dumps({"keys": [secret, short]}).encode())
