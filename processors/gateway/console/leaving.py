"""Sending a browser to the identity provider, and knowing it again when it comes back."""

from __future__ import annotations

import time
from typing import Final, cast

from fastapi import Response
from starlette.responses import RedirectResponse

from processors.configuration.gateway import ConsoleConfig
from processors.gateway.console import oidc
from processors.gateway.console.oidc import Login
from processors.gateway.console.visitors import console_of, cookie_name
from processors.gateway.desk import Desk
from processors.gateway.problems import Problem
from processors.gateway.signing import SealBroken

WITHIN: Final = 600
"""Seconds that a login may take."""

_PURPOSE: Final = "console-login"


def begin_login(desk: Desk, *, back: str, nonce: str = "", decision: str = "") -> Response:
    """To the identity provider, and from there to the page `back`; with a `decision`, which `back` shows, to its
    signature."""
    console = console_of(desk)
    if console is None:
        raise Problem("not-found", "guard.yaml names nobody who logs people in, under `gateway.console`")
    config, _ = console
    under_way = oidc.begin(time.time(), back, nonce=nonce, decision=decision)
    answer = RedirectResponse(oidc.address(under_way, config), 303)
    sealed = desk.keys.seal(_PURPOSE, list(under_way))
    remember(answer, login_cookie(config, under_way.state), sealed, config.url, within=WITHIN)
    return answer


def under_way_of(desk: Desk, cookie: str) -> Login | None:
    """The login that a cookie of ours is about."""
    try:
        state, nonce, verifier, at, back, decision = cast("tuple[str, ...]", desk.keys.unseal(_PURPOSE, cookie))
    except (SealBroken, ValueError):
        return None
    return Login(state, nonce, verifier, float(at), back, decision)


def login_cookie(config: ConsoleConfig, state: str) -> str:
    """One for each login, so that two tabs can log in at once."""
    return f"{cookie_name(config, 'login')}-{''.join(c for c in state[:8] if c.isascii() and c.isalnum())}"


def remember(answer: Response, name: str, value: str, url: str, within: int | None = None) -> None:
    """A cookie that no script reads, and that no other site's form carries. `within` is seconds."""
    secure = url.startswith("https://")
    answer.set_cookie(name, value, max_age=within, path="/", secure=secure, httponly=True, samesite="lax")
