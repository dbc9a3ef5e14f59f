"""A login asks for what it must, and only the answer to this very login logs anybody in."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from examples.issuers import ISSUER, jwks, token

from processors.configuration.gateway import ConsoleConfig, GatewayConfig, TokenIssuer
from processors.embedded.login_provider import Client, LoginProvider
from processors.gateway.auth.keys import read_keys
from processors.gateway.auth.tokens import TokenRefused, read, verify_id_token
from processors.gateway.console import oidc

CLIENT = "console"
CONSOLE = ConsoleConfig(
    url="https://guard.example",
    issuer=ISSUER,
    client_id=CLIENT,
    authorize="https://login.example/authorize",
    token="https://login.example/token",
)
TRUSTED = TokenIssuer(issuer=ISSUER, audiences=("compat-guard",), jwks="keys.json")


def asked(login: oidc.Login) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(oidc.address(login, CONSOLE)).query).items()}


def test_a_login_asks_for_a_code_with_a_challenge() -> None:
    login = oidc.begin(0.0, "/")
    said = asked(login)

    assert (said["response_type"], said["code_challenge_method"]) == ("code", "S256")
    digest = hashlib.sha256(login.verifier.encode()).digest()
    assert said["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert (said["state"], said["nonce"]) == (login.state, login.nonce)
    assert login.verifier not in oidc.address(login, CONSOLE)
    assert "max_age" not in said


def test_a_signature_asks_for_a_new_login_over_the_decision() -> None:
    said = asked(oidc.begin(0.0, "", nonce="hash-of-the-decision", decision="d-1"))

    assert (said["nonce"], said["max_age"], said["prompt"]) == ("hash-of-the-decision", "0", "login")


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "sub": "petra",
        "aud": CLIENT,
        "iat": now,
        "exp": now + 300,
        "nonce": "n-1",
        "auth_time": now,
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}


def verified(text: str, since: float | None = None) -> Any:
    unverified = read(text)
    keys = read_keys(jwks()).get(unverified.kid, ())
    return verify_id_token(unverified, TRUSTED, CLIENT, "n-1", keys, time.time(), since=since)


def test_the_answer_to_this_login_is_believed() -> None:
    assert verified(token(claims(), typ="JWT"))["sub"] == "petra"
    assert (
        verified(token(claims(aud=[CLIENT, "other"], azp=CLIENT), typ="JWT"), since=time.time())["sub"] == "petra"
    )


@pytest.mark.parametrize(
    ("said", "since"),
    [
        ({"nonce": "n-2"}, None),
        ({"nonce": None}, None),
        ({"aud": "other"}, None),
        ({"aud": ["other"], "azp": CLIENT}, None),
        ({"aud": [CLIENT, "other"]}, None),
        ({"iss": "https://login.attacker.example"}, None),
        ({"exp": int(time.time()) - 900, "iat": int(time.time()) - 1000}, None),
        ({"sub": ""}, None),
        ({"auth_time": int(time.time()) - 900}, time.time()),
        ({"auth_time": None}, time.time()),
    ],
    ids=[
        "another nonce", "no nonce", "for another client", "for another client, presented by ours",
        "for two clients, presented by nobody", "of another issuer", "expired", "of nobody",
        "of an earlier login", "of no known time",
    ],
)  # fmt: skip
def test_any_other_id_token_is_refused(said: dict[str, Any], since: float | None) -> None:
    with pytest.raises(TokenRefused):
        verified(token(claims(**said), typ="JWT"), since)


def test_an_id_token_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(TokenRefused, match="signed"):
        verified(token(claims(), kid="elsewhere-1", typ="JWT"))


@pytest.mark.parametrize("address", ["http://login.example/authorize", "javascript:alert(1)", "/authorize"])
def test_nobody_is_sent_over_the_open_network(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        ConsoleConfig.model_validate({**CONSOLE.model_dump(), "authorize": address})


def test_the_console_believes_only_a_configured_issuer() -> None:
    with pytest.raises(ValueError, match="not among the issuers"):
        GatewayConfig.model_validate({"issuers": [], "console": CONSOLE.model_dump()})


PROVIDER = LoginProvider(
    Client(
        issuer="http://127.0.0.1:1",
        client_id=CLIENT,
        redirect_uri="http://127.0.0.1:2/login/done",
        audience="compat-guard",
        password="demo",
        people={"petra": {"roles": ["plugin-steward"], "name": "Petra"}},
    )
)
QUESTION = {
    "client_id": CLIENT,
    "redirect_uri": "http://127.0.0.1:2/login/done",
    "response_type": "code",
    "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("="),
    "code_challenge_method": "S256",
    "state": "s-1",
    "nonce": "n-1",
}
ANSWER = {"person": "petra", "password": "demo"}


class Caller:
    """Asks the provider without a socket."""

    def get(self, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._send("GET", path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._send("POST", path, **more))

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=PROVIDER.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as client:
            return await client.request(method, path, **more)


@pytest.fixture
def provider() -> Caller:
    return Caller()


def code_of(provider: Caller) -> str:
    said = {**ANSWER, "code": PROVIDER.one_time_code()}
    sent_back = provider.post("/authorize", params=QUESTION, data=said)
    answer = parse_qs(urlsplit(sent_back.headers["location"]).query)
    assert answer["state"] == ["s-1"]
    return answer["code"][0]


def redeem(provider: Caller, code: str, **more: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": CLIENT,
        "redirect_uri": QUESTION["redirect_uri"],
        "code_verifier": "v" * 43,
        **more,
    }
    return provider.post("/token", data=form)


def test_the_embedded_provider_vouches_for_a_login_with_a_second_factor(provider: Caller) -> None:
    code = code_of(provider)
    body = redeem(provider, code).json()
    keys = read_keys(json.dumps(provider.get("/keys").json()).encode())
    unverified = read(body["id_token"])
    issuer = TokenIssuer(issuer="http://127.0.0.1:1", audiences=("compat-guard",), jwks="keys.json")
    said = verify_id_token(unverified, issuer, CLIENT, "n-1", keys[unverified.kid], time.time(), since=time.time())

    assert (said["sub"], said["amr"], said["roles"]) == ("petra", ["pwd", "otp"], ["plugin-steward"])
    assert redeem(provider, code).status_code == 400, "a code is good once"


@pytest.mark.parametrize(
    "more", [{"code_verifier": "w" * 43}, {"client_id": "other"}, {"redirect_uri": "http://127.0.0.1:3/"}]
)
def test_a_stolen_code_is_worth_nothing(provider: Caller, more: dict[str, str]) -> None:
    assert redeem(provider, code_of(provider), **more).status_code == 400


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"code": "000000x"}, {"person": "mallory"}])
def test_each_factor_is_needed(provider: Caller, wrong: dict[str, str]) -> None:
    said = {**ANSWER, "code": PROVIDER.one_time_code(), **wrong}
    refused = provider.post("/authorize", params=QUESTION, data=said)

    assert refused.status_code == 403
    assert "location" not in refused.headers


@pytest.mark.parametrize("foreign", [{"redirect_uri": "https://attacker.example/"}, {"client_id": "other"}])
def test_nobody_is_sent_to_an_address_that_is_not_the_clients(provider: Caller, foreign: dict[str, str]) -> None:
    refused = provider.get("/authorize", params={**QUESTION, **foreign})

    assert refused.status_code == 400
    assert "location" not in refused.headers
