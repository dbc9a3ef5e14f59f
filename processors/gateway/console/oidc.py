"""Logging in at an identity provider: OpenID Connect's authorization code flow with PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlencode

import httpx

from processors.configuration.gateway import ConsoleConfig, TokenIssuer
from processors.documents import json_text
from processors.errors import DocumentRefused, SettingsInvalid, Unavailable

PATIENCE: Final = 10.0
"""Seconds that the provider has to hand out a token."""

_LARGEST: Final = 256 * 1024


class LoginRefused(Exception):
    """The identity provider did not log anybody in. Says why, in words for whoever tried."""


class Login(NamedTuple):
    """A login under way. `back` is the page of ours that it leads to, `decision` the one that it signs, if any.

    `at` is seconds since the epoch. It travels sealed in a cookie, so that any replica can finish it.
    """

    state: str
    nonce: str
    verifier: str
    at: float
    back: str
    decision: str = ""


def begin(at: float, back: str, *, nonce: str = "", decision: str = "") -> Login:
    """A login; with a `nonce` of its own it vouches for what the nonce is the hash of."""
    return Login(
        secrets.token_urlsafe(24), nonce or secrets.token_urlsafe(24), secrets.token_urlsafe(48), at, back, decision
    )


def address(login: Login, config: ConsoleConfig) -> str:
    """Where the browser goes. A decision asks for a new login, whatever session the provider has."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(login.verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": config.client_id,
        "redirect_uri": redirect_uri(config),
        "scope": " ".join(config.scopes),
        "state": login.state,
        "nonce": login.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if login.decision:
        asked |= {"max_age": "0", "prompt": "login"}
        if config.acr_values:
            asked["acr_values"] = config.acr_values
    joint = "&" if "?" in config.authorize else "?"
    return f"{config.authorize}{joint}{urlencode(asked)}"


def redirect_uri(config: ConsoleConfig) -> str:
    return f"{config.url}/login/done"


async def redeem(code: str, login: Login, config: ConsoleConfig, issuer: TokenIssuer, folder: Path) -> str:
    """The ID token behind a code. `folder` is what file names are relative to. Raises LoginRefused, Unavailable."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(config),
        "code_verifier": login.verifier,
        "client_id": config.client_id,
    }
    secret = None if config.client_secret is None else (config.client_id, _secret(folder / config.client_secret))
    trusted = ssl.create_default_context(cafile=None if issuer.ca is None else str(folder / issuer.ca))
    try:
        async with (
            httpx.AsyncClient(timeout=PATIENCE, verify=trusted, trust_env=False) as client,
            client.stream("POST", config.token, data=form, auth=secret) as answer,
        ):
            body = await _bounded(answer)
    except httpx.HTTPError as error:
        raise Unavailable(f"the identity provider does not answer: {type(error).__name__}") from None
    if not answer.is_success:
        raise LoginRefused("the identity provider took the login back; begin again")
    token = body.get("id_token")
    if not isinstance(token, str):
        raise LoginRefused("the identity provider gave no ID token; is the scope `openid` configured?")
    return token


async def _bounded(answer: httpx.Response) -> Mapping[str, Any]:
    read = bytearray()
    async for piece in answer.aiter_bytes():
        read += piece
        if len(read) > _LARGEST:
            raise LoginRefused("the identity provider says more than a token")
    try:
        value: Any = json_text.load(bytes(read), limit=_LARGEST)
    except DocumentRefused:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsInvalid(f"the client secret in `{path}` cannot be read: {error.strerror}") from None
