"""GET events: results of the caller's tenants as they come, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response

from processors.configuration.gateway import Role
from processors.errors import EventUnreadable
from processors.events.results import Result
from processors.events.topics import RESULTS
from processors.gateway.api.callers import AtDesk, holding
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.problems import documented
from processors.gateway.streaming import EventStream, Results

SILENCE: Final = 15.0
"""Seconds without a result after which a comment keeps the connection alive."""

router = APIRouter(tags=["events"])

_STREAM: Final[dict[str, Any]] = {
    "description": "A stream that does not end; `data` is a result, `id` where it lies",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/internal/events",
    summary="Results as they come",
    operation_id="events",
    responses={**documented(), 200: _STREAM},
    response_class=Response,
)
async def events(desk: AtDesk, who: Annotated[Principal, holding(Role.READER, rate=Rate.LEDGER)]) -> Response:
    """Of the caller's tenants, from now on, for an hour at most. A reader that falls a thousand results behind is
    cut off. A caller has 25 streams at most."""
    return EventStream(desk.live, who.key, lambda results: _texts(desk, results, who))


async def _texts(desk: Desk, queue: Results, who: Principal) -> AsyncIterator[str]:
    decode = desk.events.decoder(RESULTS, "CompatibilityChecked")
    yield ": results from now on\n\n"
    while True:
        try:
            async with asyncio.timeout(SILENCE):
                record = await queue.get()
        except TimeoutError:
            yield ": still here\n\n"
            continue
        if record is None:
            return
        try:
            result = Result(decode(record.value))
        except EventUnreadable:
            continue
        if result.tenant in who.tenants:
            place = f"{record.partition}/{record.offset}"
            data = json.dumps({"at": record.timestamp, "result": result.record}, ensure_ascii=True)
            yield f"id: {place}\nevent: result\ndata: {data}\n\n"
