"""Logging in and out, and coming back from the identity provider with a login or with a signature."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Query, Request, Response

from processors.errors import Unavailable
from processors.gateway.api.callers import AtDesk
from processors.gateway.auth.tokens import TokenRefused, read, verify_id_token
from processors.gateway.console import oidc
from processors.gateway.console.deciding import hand_in_signed
from processors.gateway.console.leaving import WITHIN, begin_login, login_cookie, remember, under_way_of
from processors.gateway.console.oidc import Login, LoginRefused
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import BACK, LONGEST_BACK, PageRoute, show, to, trouble
from processors.gateway.console.visitors import (
    SESSIONS,
    console_of,
    cookie_name,
    refuse_foreign,
    visitor_of,
)
from processors.gateway.desk import Desk
from processors.gateway.problems import Problem
from processors.gateway.signing import SealBroken

_log = structlog.get_logger(__name__)

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut(Page):
    template = "logged_out.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLoggedIn(Page):
    """A login that came to nothing, and why."""

    template = "not_logged_in.html"
    why: str
    signing: bool
    back: str = ""
    """The exception whose decision was to be signed."""
    again: str = ""
    """The decision as it was written, if it can still be signed."""


@router.get("/login")
async def login(desk: AtDesk, back: Annotated[str, Query(max_length=LONGEST_BACK)] = "") -> Response:
    """`back` is sealed by this gateway, so that a link cannot lead from here to another site."""
    try:
        page = str(desk.keys.unseal(BACK, back)) if back else "/"
    except SealBroken:
        page = "/"
    return begin_login(desk, back=page)


@router.get("/login/done")
async def done(
    request: Request,
    desk: AtDesk,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Where the identity provider sends the browser back to."""
    console = console_of(desk)
    if console is None:
        raise Problem("not-found", "nobody logs in here")
    config, issuer = console
    name = login_cookie(config, state)
    under_way = under_way_of(desk, request.cookies.get(name, ""))
    signing = under_way is not None and bool(under_way.decision)
    try:
        login = _begun_here(under_way, state)
        _came_back(code, error)
        token = await oidc.redeem(code, login, config, issuer, desk.settings.config)
        unverified = read(token)
        keys = await desk.gate.keys_of(issuer, unverified.kid)
        since = login.at if login.decision else None
        claims = verify_id_token(unverified, issuer, config.client_id, login.nonce, keys, time.time(), since=since)
        if login.decision:
            answer = await _signed(request, desk, login, token, str(claims["sub"]))
        else:
            SESSIONS.end(request.cookies.get(cookie_name(config), ""))
            answer = to(login.back)
            remember(answer, cookie_name(config), SESSIONS.begin(claims), config.url)
    except (LoginRefused, TokenRefused) as refused:
        _log.warning("a login came to nothing", reason=str(refused))
        answer = show(request, _nothing(request, desk, under_way if signing else None, str(refused)), 403)
    except Unavailable as unavailable:
        answer = trouble(request, Problem("unavailable", str(unavailable)))
    answer.delete_cookie(name, path="/", secure=config.url.startswith("https://"), httponly=True)
    return answer


@router.post("/logout")
async def logout(request: Request, desk: AtDesk) -> Response:
    refuse_foreign(request, desk)
    console = console_of(desk)
    if console is None:
        return to("/")
    name = cookie_name(console[0])
    SESSIONS.end(request.cookies.get(name, ""))
    answer = to("/logged-out")
    answer.delete_cookie(name, path="/", secure=console[0].url.startswith("https://"), httponly=True)
    return answer


@router.get("/logged-out")
async def logged_out(request: Request) -> Response:
    return show(request, LoggedOut(title="Logged out"))


def _begun_here(under_way: Login | None, state: str) -> Login:
    if under_way is None or under_way.state != state or time.time() - under_way.at > WITHIN:
        raise LoginRefused("this login was not begun in this browser, or lies too far back")
    return under_way


def _nothing(request: Request, desk: Desk, signed: Login | None, why: str) -> NotLoggedIn:
    """The page for a login that came to nothing; `signed` is the one that should have signed a decision."""
    if signed is None:
        return NotLoggedIn(title="Not logged in", why=why, signing=False)
    visitor = visitor_of(request, desk)
    is_there = visitor is not None and visitor.session is not None and signed.decision in visitor.session.decisions
    exception, again = signed.back.partition("/decisions/")[0], signed.back if is_there else ""
    return NotLoggedIn(title="Not signed", why=why, signing=True, back=exception, again=again)


def _came_back(code: str, error: str) -> None:
    if error or not code:
        raise LoginRefused("the identity provider did not log you in" + (f": {error}" if error else ""))


async def _signed(request: Request, desk: Desk, under_way: Login, token: str, subject: str) -> Response:
    visitor = visitor_of(request, desk)
    if visitor is None or visitor.session is None:
        raise LoginRefused("your session ended meanwhile; log in and decide again")
    if visitor.who.subject != subject:
        raise LoginRefused("somebody else logged in to sign what you decided")
    decision = visitor.session.decisions.pop(under_way.decision, None)
    if decision is None:
        raise LoginRefused("there is no such decision of yours any more")
    try:
        said = await hand_in_signed(desk, visitor, decision, token)
    except Problem as problem:
        problem.more.setdefault("exception_id", decision.exception_id)
        return trouble(request, problem)
    return to(f"/exceptions/{quote(decision.exception_id, safe='')}?said={said}")
