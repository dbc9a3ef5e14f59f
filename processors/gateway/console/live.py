"""Results as they come: a list that works as it is, and a stream that keeps it fresh."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from processors.configuration.gateway import Role
from processors.events.topics import RESULTS
from processors.events.vocabulary import Verdict
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.lately import ResultLine, lately, line_of
from processors.gateway.console.narrowing import Narrowed, Narrowing
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import Visitor, visiting
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.streaming import EventStream, Results

TICK: Final = 5.0
"""Seconds without a result after which the stream tells the time, so that a page knows that it is connected."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live(Page):
    """Results of the visitor's tenants, the newest first."""

    template = "live.html"
    lines: Sequence[ResultLine]
    narrowed: Narrowing
    states: Sequence[Verdict]


@router.get("/live")
async def live(
    request: Request, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.READER)], narrowed: Narrowed
) -> Response:
    page = Live(
        title="Results",
        lines=await asyncio.to_thread(lately, desk, visitor, narrowed),
        narrowed=narrowed,
        states=[verdict for verdict in Verdict if verdict is not Verdict.UNKNOWN],
    )
    return show(request, page)


@router.get("/live/events")
async def events(
    desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.READER, rate=Rate.LEDGER)], narrowed: Narrowed
) -> Response:
    return EventStream(desk.live, visitor.who.key, lambda results: _texts(desk, results, visitor, narrowed))


async def _texts(desk: Desk, queue: Results, visitor: Visitor, narrowed: Narrowing) -> AsyncIterator[str]:
    decode = desk.events.decoder(RESULTS, "CompatibilityChecked")
    yield "retry: 3000\n\n"
    while True:
        yield f"event: tick\ndata: {time.time_ns() // 1_000_000}\n\n"
        try:
            async with asyncio.timeout(TICK):
                record = await queue.get()
        except TimeoutError:
            continue
        if record is None:
            return
        line = line_of(record, decode, visitor)
        if line is not None and line.is_meant(narrowed):
            yield f"event: result\ndata: {json.dumps(line._asdict(), ensure_ascii=True)}\n\n"
