"""The common beginning of every operation: authentication, authorisation, rate limit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from processors.configuration.gateway import Role
from processors.gateway.auth.principal import Principal
from processors.gateway.auth.tokens import TokenRefused
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An OIDC access token of a trusted issuer")


async def desk_of(request: Request) -> Desk:  # a plain function would be called in a thread
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]


async def signed_in(
    request: Request,
    desk: AtDesk,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Principal:
    """The caller, according to the token. Raises Problem."""
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise _unauthenticated("expected one Authorization header")
    try:
        return await desk.gate.admit(given[0] if given else None)
    except TokenRefused as refused:
        raise _unauthenticated(str(refused)) from None


SignedIn = Annotated[Principal, Depends(signed_in)]


def holding(*roles: Role, rate: Rate) -> Any:
    """A dependency: the caller, who must have one of these roles and be within the rate limit."""

    async def admitted(request: Request, desk: AtDesk, who: SignedIn) -> Principal:
        if not who.roles & set(roles):
            needed = " or ".join(roles)
            raise Problem("forbidden", f"this needs the role {needed}; GET /internal/whoami shows yours")
        allowance = desk.limits.take(rate, who.key)
        request.scope["state"]["headers"] = allowance.headers
        if not allowance.granted:
            raise Problem(
                "too-many-requests",
                f"`{rate}` is limited for each caller",
                headers={"Retry-After": str(allowance.reset)},
            )
        return who

    return Depends(admitted)


def tenant_of(who: Principal, named: str | None) -> str:
    """The tenant of the request: one of the caller's own, the only one if none is named. Raises Problem."""
    if named is not None:
        if named not in who.tenants:
            raise Problem("forbidden", "the token is not for that tenant; GET /internal/whoami shows yours")
        return named
    if len(who.tenants) != 1:
        meant = "names several tenants; say which one is meant with `tenant`" if who.tenants else "names no tenant"
        raise Problem("forbidden", f"the token {meant}")
    return next(iter(who.tenants))


def _unauthenticated(why: str) -> Problem:
    described = why.replace('"', "'").replace("\\", "")
    challenge = f'Bearer realm="compat-guard", error="invalid_token", error_description="{described}"'
    return Problem(
        "unauthenticated", why, headers={"WWW-Authenticate": challenge.encode("ascii", "replace").decode()}
    )
