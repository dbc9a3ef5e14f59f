"""Where everybody starts: what waits for them, what was blocked lately, and the way to a request by its id."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from processors.configuration.gateway import Role
from processors.errors import Unavailable
from processors.events.vocabulary import Verdict
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.lately import ResultLine, lately
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, visiting
from processors.gateway.console.waiting import Rows, rows_of
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.mailbox import Crowded

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHOWN: Final = 10
"""Blocks that are listed, and exceptions of each kind; the most urgent come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(Page):
    """Where everybody starts, in the order of what they come for: deciding, a block, or a question."""

    template = "home.html"
    blocked: Sequence[ResultLine]
    rows: Rows | None
    """Exceptions; None where the visitor may not see them, or nobody can read them now."""
    shown: int
    """How many of each kind are listed."""
    unread: bool
    """Whether exceptions are to be seen and cannot be read now."""
    tenants: Sequence[str]
    roles: Sequence[str]
    decides_as: Sequence[str]
    """Roles that the exception workflow reads in the login."""


@router.get("/")
async def home(request: Request, desk: AtDesk, visitor: Annotated[Visitor, visiting()]) -> Response:
    lines = await asyncio.to_thread(lately, desk, visitor)
    sees = bool(visitor.who.roles & {Role.READER, Role.APPROVER})
    rows = await _rows(desk, visitor) if sees else None
    page = Home(
        title=f"({len(rows.yours)}) wait for you" if rows and rows.yours else "Start",
        blocked=[line for line in lines if line.verdict not in (Verdict.ALLOW, Verdict.ALLOW_BY_EXCEPTION)][:SHOWN],
        rows=rows,
        shown=SHOWN,
        unread=sees and rows is None,
        tenants=sorted(visitor.who.tenants),
        roles=sorted(visitor.who.roles),
        decides_as=sorted(visitor.workflow_roles),
    )
    return show(request, page)


async def _rows(desk: Desk, visitor: Visitor) -> Rows | None:
    """None where they cannot be read now, or were read too often for this visitor: the rest of the page is needed
    all the same."""
    if not desk.limits.take(Rate.LEDGER, visitor.who.key).granted:
        return None
    try:
        return await rows_of(desk, visitor)
    except (Unavailable, Crowded):
        return None


@router.get("/requests")
async def find(request_id: Annotated[str, Query(max_length=200)], _: Annotated[Visitor, visiting()]) -> Response:
    return to(f"/requests/{quote(request_id.strip(), safe='')}")
