"""Where everybody starts: what was blocked lately, and the way to a request by its id."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from processors.events.vocabulary import Verdict
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.lately import ResultLine, lately
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, visiting

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(Page):
    """Where everybody starts: what was blocked lately, what waits, and the way to a request by its id."""

    template = "home.html"
    blocked: Sequence[ResultLine]
    tenants: Sequence[str]
    roles: Sequence[str]


@router.get("/")
async def home(request: Request, desk: AtDesk, visitor: Annotated[Visitor, visiting()]) -> Response:
    lines = await asyncio.to_thread(lately, desk, visitor)
    page = Home(
        title="Compatibility guard",
        blocked=[line for line in lines if line.verdict not in (Verdict.ALLOW, Verdict.ALLOW_BY_EXCEPTION)][:10],
        tenants=sorted(visitor.who.tenants),
        roles=sorted(visitor.who.roles),
    )
    return show(request, page)


@router.get("/requests")
async def find(request_id: Annotated[str, Query(max_length=200)], _: Annotated[Visitor, visiting()]) -> Response:
    return to(f"/requests/{quote(request_id.strip(), safe='')}")
