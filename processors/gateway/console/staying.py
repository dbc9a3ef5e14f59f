"""How long a login still lasts: asked by the page that warns of its end, and made longer by whoever says so."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from processors.gateway.api.callers import AtDesk
from processors.gateway.console.routing import PageRoute
from processors.gateway.console.visitors import SESSIONS, refuse_foreign, session_cookie, visitor_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/session")
async def left(request: Request, desk: AtDesk) -> Response:
    """Seconds that are left, 0 where nobody is logged in. Looking makes them no more: another page may have."""
    return _told(SESSIONS.left(session_cookie(request, desk)))


@router.post("/session")
async def stay(request: Request, desk: AtDesk) -> Response:
    """As any page does, and without leaving this one."""
    refuse_foreign(request, desk)
    visitor_of(request, desk)
    return _told(SESSIONS.left(session_cookie(request, desk)))


def _told(seconds: float) -> Response:
    return JSONResponse({"left": int(seconds)}, headers={"Cache-Control": "no-store"})
