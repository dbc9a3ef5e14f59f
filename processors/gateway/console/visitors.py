"""Who looks at a page: the person of a session, or the developer where nobody needs to log in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from fastapi import Depends, Request

from processors.configuration.gateway import ConsoleConfig, Role, TokenIssuer
from processors.gateway.api.callers import AtDesk
from processors.gateway.auth.gate import ON_THIS_MACHINE
from processors.gateway.auth.principal import Principal, principal, texts
from processors.gateway.console.rendering import Frame
from processors.gateway.console.sessions import Session, Sessions
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem

SESSIONS: Final = Sessions()

SEES_ALL: Final = frozenset({Role.READER, Role.APPROVER})
"""Who sees the page of every exception of their tenants. Anybody else sees that of one that they asked for."""

SEES_REPORTS: Final = frozenset({Role.REQUESTER, Role.READER, Role.APPROVER, Role.AUDITOR})
SEES_EXCEPTIONS: Final = SEES_ALL | {Role.REQUESTER}
"""Who may open the pages of reports, and those of exceptions, as far as roles go."""

_SAFE: Final = frozenset({"GET", "HEAD"})


class LoginNeeded(Exception):
    """Nobody is logged in, and this is for somebody who is."""


class Visitor(NamedTuple):
    """Somebody who is logged in. `session` is None for the developer of the embedded profile."""

    who: Principal
    session: Session | None

    @property
    def name(self) -> str:
        claims: Mapping[str, Any] = {} if self.session is None else self.session.claims
        name = claims.get("name")
        return name if isinstance(name, str) and name else self.who.subject

    @property
    def workflow_roles(self) -> frozenset[str]:
        """The roles that the exception workflow would read of them in an ID token."""
        return frozenset() if self.session is None else texts(self.session.claims, "roles")


def console_of(desk: Desk) -> tuple[ConsoleConfig, TokenIssuer] | None:
    """How people log in, if they can."""
    config = desk.config().gateway
    if config.console is None:
        return None
    return config.console, next(i for i in config.issuers if i.issuer == config.console.issuer)


def cookie_name(console: ConsoleConfig, purpose: str = "session") -> str:
    """Over https the browser itself keeps the cookie to this very host. Not every browser does so on loopback."""
    return f"__Host-guard-{purpose}" if console.url.startswith("https://") else f"guard-{purpose}"


def session_cookie(request: Request, desk: Desk) -> str:
    """What the browser says of its session; empty where it says nothing."""
    console = console_of(desk)
    return "" if console is None else request.cookies.get(cookie_name(console[0]), "")


def visitor_of(request: Request, desk: Desk) -> Visitor | None:
    console = console_of(desk)
    if console is None:
        return Visitor(ON_THIS_MACHINE, None) if desk.settings.gateway.profile == "embedded" else None
    _, issuer = console
    session = SESSIONS.find(session_cookie(request, desk))
    if session is None:
        return None
    return Visitor(principal(session.claims, issuer, desk.config().gateway), session)


def visiting(*roles: Role, rate: Rate = Rate.READ) -> Any:
    """A dependency: whoever is logged in, holds one of these roles (or any, if none is named), and does not ask too
    often. Forms count only when the browser says that they are ours."""

    async def admitted(request: Request, desk: AtDesk) -> Visitor:
        if request.method not in _SAFE:
            refuse_foreign(request, desk)
        visitor = visitor_of(request, desk)
        if visitor is None:
            if desk.settings.gateway.profile != "embedded" and console_of(desk) is None:
                raise Problem("not-found", "guard.yaml names nobody who logs people in, under `gateway.console`")
            raise LoginNeeded
        if roles and not visitor.who.roles & set(roles):
            raise Problem("forbidden", f"this page is for the role {' or '.join(roles)}, which you do not hold")
        allowance = desk.limits.take(rate, visitor.who.key)
        if not allowance.granted:
            headers = {"Retry-After": str(allowance.reset)}
            raise Problem("too-many-requests", f"`{rate}` is limited for each person", headers=headers)
        return visitor

    return Depends(admitted)


def refuse_foreign(request: Request, desk: Desk) -> None:
    """Raise Problem for a form that another site, or a sibling of this one, sent in the person's name."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        allowed = site == "same-origin"
    else:
        allowed = origin is not None and origin == _own_origin(request, desk)
    if not allowed:
        raise Problem("forbidden", "this form was not sent from a page of this gateway")


def frame_of(request: Request, desk: Desk) -> Frame:
    visitor, console = visitor_of(request, desk), console_of(desk)
    if visitor is None:
        return Frame(at=request.url.path, can_log_in=console is not None)
    return Frame(
        name=visitor.name,
        roles=visitor.who.roles,
        decides_as=visitor.workflow_roles,
        at=request.url.path,
        can_log_out=visitor.session is not None,
        logged_in_for=int(SESSIONS.left(session_cookie(request, desk))),
        dashboards={} if console is None else console[0].dashboards,
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _own_origin(request: Request, desk: Desk) -> str:
    console = console_of(desk)
    if console is None:
        return f"{request.url.scheme}://{request.headers.get('host', '')}"
    parts = urlsplit(console[0].url)
    return f"{parts.scheme}://{parts.netloc}"
