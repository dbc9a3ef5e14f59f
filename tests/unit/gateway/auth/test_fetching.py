"""Keys from the issuer's address over TLS: what it gives instead of keys takes no key away, and leads nowhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from examples.gateways import Provider
from examples.issuers import AUDIENCE, ISSUER, KID, jwks

from processors.configuration.gateway import TokenIssuer
from processors.gateway.auth.keys import IssuerKeys, KeysStale, fetching

AFTER_A_WHILE = 31.0
"""Seconds after which it is asked again."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with Provider(tmp_path) as provider:
        yield provider


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(provider: Provider, folder: Path, scene: Callable[[IssuerKeys, Clock], Awaitable[None]]) -> None:
    issuer = TokenIssuer(issuer=ISSUER, audiences=(AUDIENCE,), jwks=provider.url, ca=Path("provider-ca.pem"))

    async def run() -> None:
        clock = Clock()
        await scene(IssuerKeys(ISSUER, fetching(issuer, folder), clock), clock)

    asyncio.run(run())


def of_ten_megabytes() -> bytes:
    """It would be a good set of keys, but for its size."""
    keys = json.loads(jwks(KID, "login-2"))
    return json.dumps({**keys, "padding": "x" * 10_000_000}).encode()


@pytest.mark.parametrize(
    ("answer", "redirect"),
    [
        pytest.param(of_ten_megabytes(), None, id="10 MB"),
        pytest.param(jwks(KID, "login-2"), "http://169.254.169.254/latest/meta-data/", id="to the metadata"),
        pytest.param(b"<html>log in first</html>", None, id="a page"),
    ],
)
def test_what_is_given_instead_of_keys_takes_no_key_away(
    provider: Provider, tmp_path: Path, answer: bytes, redirect: str | None
) -> None:
    async def scene(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find(KID)
        provider.answer, provider.redirect, clock.now = answer, redirect, AFTER_A_WHILE
        assert not await keys.find("login-2")
        assert await keys.find(KID)
        assert provider.asked == 2

    play(provider, tmp_path, scene)


def test_whoever_has_had_no_keys_from_the_beginning_believes_nobody(provider: Provider, tmp_path: Path) -> None:
    async def scene(keys: IssuerKeys, clock: Clock) -> None:
        provider.answer = of_ten_megabytes()
        with pytest.raises(KeysStale):
            await keys.find(KID)
        provider.answer, clock.now = jwks(), AFTER_A_WHILE
        assert await keys.find(KID)

    play(provider, tmp_path, scene)


def test_a_provider_that_nobody_vouches_for_is_not_believed(provider: Provider, tmp_path: Path) -> None:
    """Its certificate is of an authority that is not the configured one."""

    async def scene(keys: IssuerKeys, clock: Clock) -> None:
        with pytest.raises(KeysStale):
            await keys.find(KID)
        assert provider.asked == 0

    other = tmp_path / "other"
    other.mkdir()
    with Provider(other):
        play(provider, other, scene)
