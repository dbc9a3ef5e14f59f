"""Is the record whole? The newest rows of the ledger verified, for an auditor who waits for the answer.

A ledger of years takes minutes, and a page has seconds: so it verifies the newest rows, says which, and names the
command that verifies all of them. That one also reads anchors that are kept where no gateway can reach.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from processors.bootstrap.ledger_access import verified_lately
from processors.configuration.gateway import Role
from processors.errors import DatabaseUnavailable, SettingsInvalid
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, now_ms, visiting
from processors.gateway.limits import Rate
from processors.ledger.meanings import Fault, in_words
from processors.ledger.whole import Newest

SHOWN: Final = 20
"""Places of one fault, and chains that were not reached."""

Auditor = Annotated[Visitor, visiting(Role.AUDITOR, rate=Rate.LEDGER)]

FRESH: Final = 60.0
"""Seconds for which an answer stands for all who ask: the next anchor comes in a minute, and not before."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Page):
    """What a verification of the newest rows came to. `unread` are chains that it did not reach in time."""

    template = "verified.html"
    at: int
    """When it ended, in milliseconds."""
    newest: Newest
    faults: Sequence[Fault]
    unread: Sequence[str]
    shown: int = SHOWN


class Answer(NamedTuple):
    """What a verification came to, and when it ended: in milliseconds, and by the monotonic clock."""

    newest: Newest
    at: int
    ended: float


class Verifications:
    """Verifies once for all who ask at the same time or shortly after: it is hard work for the database and for
    this process. Belongs to the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: asyncio.Task[Answer] | None = None
        self.last: Answer | None = None

    async def answer(self, verify: Callable[[], Awaitable[Newest]]) -> Answer:
        """The last answer if it is fresh, or that of the verification that runs, or a new one. Raises what `verify`
        raises. Whoever gives up waiting ends nothing."""
        if self.last is not None and self._clock() - self.last.ended < FRESH:
            return self.last
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._make(verify))
            self._running.add_done_callback(_heard)
        return await asyncio.shield(self._running)

    async def _make(self, verify: Callable[[], Awaitable[Newest]]) -> Answer:
        newest = await verify()
        self.last = Answer(newest, now_ms(), self._clock())
        return self.last


def _heard(made: asyncio.Task[Answer]) -> None:
    """Retrieve the error of a verification that nobody waits for any more: asyncio would log it otherwise."""
    if not made.cancelled():
        made.exception()


VERIFICATIONS: Final = Verifications()
_VERIFIER: Final = "verifier"
"""Whose turn a verification takes: nobody's who asks, so that they can search meanwhile."""


@router.post("/ledger/verify")
async def verify(desk: AtDesk, _: Auditor) -> Response:
    await VERIFICATIONS.answer(lambda: desk.auditing.run(_VERIFIER, _verified))
    return to("/ledger/verified")


@router.get("/ledger/verified")
async def verified(request: Request, _: Auditor) -> Response:
    """The last answer, which says of when it is: loading it again verifies nothing."""
    answer = VERIFICATIONS.last
    return to("/ledger") if answer is None else show(request, page_of(answer.newest, answer.at))


def page_of(newest: Newest, at: int) -> Verification:
    return Verification(
        title=_title(newest),
        at=at,
        newest=newest,
        faults=in_words(newest.verified.found),
        unread=[f"{topic}/{partition}" for topic, partition in newest.unread],
    )


def _title(newest: Newest) -> str:
    if newest.verified.found:
        return "The record is not whole"
    if not newest.complete:
        return "Out of time"
    return "The record is whole" if newest.since is None else "The newest rows are whole"


def _verified() -> Newest:
    """In a thread. A ledger that is not set up is no mistake of whoever asks."""
    try:
        return verified_lately()
    except SettingsInvalid as error:
        raise DatabaseUnavailable(str(error)) from None
