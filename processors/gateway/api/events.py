"""GET events: results of the caller's tenants as they arrive, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Response

from processors.bootstrap.clients import stream_settings
from processors.configuration.gateway import Role
from processors.errors import GuardError, Unavailable
from processors.gateway import positions
from processors.gateway.api.callers import AtDesk, holding
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.mailbox import Crowded
from processors.gateway.missed_results import (
    Missed,
    TooFarBehind,
    read_missed,
    refuse_behind_the_end,
    refuse_too_far,
)
from processors.gateway.positions import Position
from processors.gateway.problems import Problem, documented
from processors.gateway.streaming import EventStream, Results
from processors.stream.types import Inbound

SILENCE: Final = 15.0
"""Seconds without a result after which a comment keeps the connection alive."""

router = APIRouter(tags=["events"])

_STREAM: Final[dict[str, Any]] = {
    "description": "A stream that does not end; `data` is a result, `id` where the reader stands behind it",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/internal/events",
    summary="Results as they come",
    operation_id="events",
    responses={**documented(410), 200: _STREAM},
    response_class=Response,
)
async def events(
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.READER, rate=Rate.LEDGER)],
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=positions.LONGEST, description="the newest `id` that was seen"),
    ] = None,
) -> Response:
    """Results of the caller's tenants, from now on, for an hour at most. A reader that falls a thousand results
    behind is cut off. A reader that was cut off continues with `Last-Event-ID`, at any replica, and misses nothing;
    the first `id` comes before the first result. A caller has at most 25 streams."""
    if desk.live.place is None:
        raise Unavailable("the topic of results has not been read to its end yet")
    desk.live.refuse_crowd(who.key)
    begin = _place(last_event_id)
    first = None if begin is None else await _missed(desk, who, begin, desk.live.place)
    return EventStream(desk.live, who.key, lambda results: _texts(desk, results, who, begin, first))


def _place(stated: str | None) -> Position | None:
    if not stated:
        return None
    try:
        return positions.read(stated)
    except ValueError as error:
        raise Problem("malformed", f"Last-Event-ID: {error}") from None


async def _missed(desk: Desk, who: Principal, begin: Position, there: Position) -> Missed:
    """The first missed results. Raises Problem if not all of them are available."""
    try:
        refuse_too_far(begin, there)
        if positions.behind(there, begin):
            settings = stream_settings(desk.settings)
            await desk.catching_up.run(who.key, refuse_behind_the_end, settings, begin)
        return await _read(desk, who, begin, there)
    except TooFarBehind as error:
        raise Problem("results-gone", str(error)) from None


async def _read(desk: Desk, who: Principal, begin: Position, there: Position) -> Missed:
    if not positions.behind(begin, there):
        return (), begin
    return await desk.catching_up.run(who.key, read_missed, stream_settings(desk.settings), begin, there)


def _texts(
    desk: Desk, queue: Results, who: Principal, begin: Position | None, first: Missed | None
) -> AsyncIterator[str]:
    """Called when the queue begins: its results come after the present position of the results."""
    there = desk.live.place or {}
    reader = _Reader(desk, who, there if begin is None else begin)
    return reader.texts(queue, there, ((), reader.place) if first is None else first)


class _Reader:
    """A reader of a stream, and its position."""

    def __init__(self, desk: Desk, who: Principal, place: Position) -> None:
        self._desk, self._who, self.place = desk, who, place

    async def texts(self, queue: Results, there: Position, missed: Missed) -> AsyncIterator[str]:
        """The missed results up to `there`, of which the first are at hand, and then those of the queue."""
        yield f": results behind this place\n{self._mark()}"
        try:
            while True:
                records, place = missed
                async for text in self._told(records):
                    yield text
                self.place = place
                if not positions.behind(place, there):
                    break
                missed = await _read(self._desk, self._who, place, there)
            yield self._mark()
            while (records := await _next(queue)) is not None:
                if not records:
                    yield f": still here\n{self._mark()}"
                async for text in self._told([one for one in records if not positions.has_seen(self.place, one)]):
                    yield text
        except (GuardError, Crowded):
            return  # a client that reconnects continues here, or gets the reason why that is impossible

    async def _told(self, records: Sequence[Inbound]) -> AsyncIterator[str]:
        for record in records:
            shown = await self._desk.shown(record)
            self.place = positions.after(self.place, record)
            if shown is not None and shown.tenant in self._who.tenants:
                yield f"event: result\ndata: {shown.text}\n{self._mark()}"

    def _mark(self) -> str:
        """The end of an event, with the position after it."""
        return f"id: {positions.text_of(self.place)}\n\n"


async def _next(queue: Results) -> Sequence[Inbound] | None:
    """The next result; none if there is none for a while, None if nothing follows."""
    try:
        async with asyncio.timeout(SILENCE):
            record = await queue.get()
    except TimeoutError:
        return ()
    return None if record is None else (record,)
