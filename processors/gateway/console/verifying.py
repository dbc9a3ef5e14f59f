"""Is the record whole? The newest rows of the ledger verified, for an auditor who waits for the answer.

A ledger of years takes minutes, and a page has seconds: so it verifies the newest rows, says which, and names the
command that verifies all of them. That one also reads anchors that are kept where no gateway can reach.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from processors.bootstrap.ledger_access import verified_lately
from processors.configuration.gateway import Role
from processors.errors import DatabaseUnavailable, SettingsInvalid
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import Visitor, visiting
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem
from processors.ledger.meanings import Fault, in_words
from processors.ledger.whole import Newest

SHOWN: Final = 20
"""Places of one fault, and chains that were not reached."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_one_at_a_time = asyncio.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Page):
    """What a verification of the newest rows came to. `unread` are chains that it did not reach in time."""

    template = "verified.html"
    newest: Newest
    faults: Sequence[Fault]
    unread: Sequence[str]
    shown: int = SHOWN


@router.post("/ledger/verify")
async def verify(
    request: Request, desk: AtDesk, _: Annotated[Visitor, visiting(Role.AUDITOR, rate=Rate.LEDGER)]
) -> Response:
    """One at a time: it is hard work for the database and for this process."""
    if _one_at_a_time.locked():
        raise Problem("crowded", "somebody verifies the ledger right now; try again in half a minute")
    async with _one_at_a_time:
        newest = await desk.read(_verified)
    return show(request, page_of(newest))


def page_of(newest: Newest) -> Verification:
    found = newest.verified.found
    title = "The record is not whole" if found else "The record is whole" if newest.complete else "Out of time"
    return Verification(
        title=title,
        newest=newest,
        faults=in_words(found),
        unread=[f"{topic}/{partition}" for topic, partition in newest.unread],
    )


def _verified() -> Newest:
    """In a thread. A ledger that is not set up is no mistake of whoever asks."""
    try:
        return verified_lately()
    except SettingsInvalid as error:
        raise DatabaseUnavailable(str(error)) from None
