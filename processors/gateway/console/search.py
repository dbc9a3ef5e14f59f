"""Finding something by what people have of it: an id from a mail, or the name of a plugin."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from processors.client.deliveries import read_relayed
from processors.configuration.gateway import Role
from processors.errors import Unavailable
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.check import known_result
from processors.gateway.api.exceptions import own_case
from processors.gateway.console.alike import Alike, alike
from processors.gateway.console.lately import lately
from processors.gateway.console.narrowing import Narrowing
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import SEES_EXCEPTIONS, SEES_REPORTS, Visitor, visiting
from processors.gateway.console.waiting import Row, may_see, rows_of
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem

SHOWN: Final = 20
"""Results and exceptions that are listed for a plugin."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought(Page):
    """What was looked for, and what of the visitor's tenants has it in its name."""

    template = "search.html"
    of: str
    results: Sequence[Alike]
    exceptions: Sequence[Row]


@router.get("/search")
async def search(
    request: Request,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(rate=Rate.LEDGER)],
    of: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """To the page of an id. Anything else is looked for in the names of plugins."""
    wanted = of.strip()
    if wanted and (place := await _place(desk, visitor, wanted)):
        return to(place)
    narrowed = Narrowing(plugin=wanted)
    seen = (
        await asyncio.to_thread(lately, desk, visitor, narrowed) if wanted and _may(visitor, SEES_REPORTS) else ()
    )
    rows = await rows_of(desk, visitor) if wanted and _may(visitor, SEES_EXCEPTIONS) else None
    kinds = () if rows is None else rows.narrowed(narrowed)
    exceptions = list({row.case.exception_id: row for kind in kinds for row in kind}.values())
    page = Sought(title="Search", of=wanted, results=alike(seen)[:SHOWN], exceptions=exceptions[:SHOWN])
    return show(request, page, 200 if page.results or page.exceptions or not wanted else 404)


async def _place(desk: Desk, visitor: Visitor, id: str) -> str:
    """The page of an id; empty where nothing of the visitor's has it."""
    name = quote(id, safe="")
    if _may(visitor, SEES_REPORTS) and await _is_request(desk, visitor, id):
        return f"/requests/{name}"
    if _may(visitor, SEES_EXCEPTIONS) and _can_be_exception(id):
        with suppress(Problem):
            if may_see(await own_case(desk, id, visitor.who), visitor):
                return f"/exceptions/{name}"
    if Role.OPERATOR in visitor.who.roles:
        with suppress(Unavailable, Crowded):
            relayed = await desk.read(read_relayed, desk.settings)
            if any(delivery.id == id for delivery in relayed.deliveries):
                return "/deliveries"
    return ""


def _can_be_exception(id: str) -> bool:
    """Whether it is a UUID, as the ids of exceptions are: nothing is read for anything else."""
    try:
        return str(UUID(id)) == id
    except ValueError:
        return False


async def _is_request(desk: Desk, visitor: Visitor, id: str) -> bool:
    """An id under which several questions were asked is one, too: its page tells which."""
    try:
        return await known_result(desk, id, visitor.who) is not None
    except Problem:
        return True


def _may(visitor: Visitor, roles: frozenset[Role]) -> bool:
    return bool(visitor.who.roles & roles)
