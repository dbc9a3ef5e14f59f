"""Where everybody starts: what waits for them, what became of what they asked for, and what was blocked lately."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from processors.errors import Unavailable
from processors.events.exceptions import Status
from processors.events.vocabulary import Verdict
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.alike import Alike, alike
from processors.gateway.console.lately import lately
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import SEES_EXCEPTIONS, SEES_REPORTS, Visitor, now_ms, visiting
from processors.gateway.console.waiting import Row, Rows, rows_of
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.mailbox import Crowded

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHOWN: Final = 5
"""Blocks that are listed, and exceptions that wait for the visitor; the most urgent come first."""

OWN: Final = 3
"""Exceptions of the visitor that are listed while they wait for others."""

NEWS: Final = 3
NEWS_FOR: Final = 7 * 24 * 3_600_000
"""Exceptions of the visitor that came to an end, and milliseconds for which that is news."""

_IN_HAND: Final = (Status.APPROVED, Status.NEEDS_REVIEW)
_ENDED: Final = (Status.REJECTED, Status.REVOKED, Status.LAPSED)
"""Where it is the visitor's turn again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(Page):
    """Where everybody starts, in the order of what they come for: deciding, a block, or a question."""

    template = "home.html"
    news: Sequence[Row]
    """Exceptions that the visitor asked for, and with which it is their turn."""
    waiting: Sequence[Row]
    """Exceptions that the visitor asked for, and with which it is somebody else's."""
    asked: int
    """How many of the visitor's are open."""
    blocked: Sequence[Alike]
    opens: bool
    """Whether reports are the visitor's to open: else none is listed."""
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
    opens = bool(visitor.who.roles & SEES_REPORTS)
    lines = await asyncio.to_thread(lately, desk, visitor) if opens else ()
    blocked = [line for line in lines if line.verdict not in (Verdict.ALLOW, Verdict.ALLOW_BY_EXCEPTION)]
    sees = bool(visitor.who.roles & SEES_EXCEPTIONS)
    rows = await _rows(desk, visitor) if sees else None
    news = () if rows is None else news_of(rows, now_ms())
    page = Home(
        title=f"({len(rows.yours)}) wait for you" if rows and rows.yours else "Start",
        news=news,
        waiting=() if rows is None else [row for row in rows.asked if row not in news][:OWN],
        asked=0 if rows is None else len(rows.asked),
        blocked=alike(blocked)[:SHOWN],
        opens=opens,
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


def news_of(rows: Rows, now: int) -> list[Row]:
    """What became of what the visitor asked for, where it is their turn: what may be used, then what ended."""
    in_hand = [row for row in rows.asked if row.case.status in _IN_HAND]
    ended = [row for row in rows.over if row.mine and row.case.status in _ENDED]
    return [*in_hand, *(row for row in ended if now - row.case.changed_at < NEWS_FOR)][:NEWS]
