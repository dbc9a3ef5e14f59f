"""Which installation an exception was asked for, as far as this replica knows without reading topics.

An exception's scope names none. The block that it rests on does, and lists cannot read a topic for every row: what
came by lately, or was read for another page, is remembered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from processors.errors import EventUnreadable
from processors.events.results import Result
from processors.events.topics import RESULTS
from processors.exception_workflow.rules.scope import rests_on
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.desk import Desk
from processors.gateway.replies import result_key
from processors.stream.wire.codec import Codec

MOST: Final = 5_000
"""Blocks whose installation is remembered."""

_Block = tuple[str, str]
"""An exception, and the request whose block it rests on."""


class Installations:
    """By exception and block; the one that was learned first makes room. Belongs to the event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[_Block, str] = OrderedDict()

    def learn(self, case: ExceptionCase, target: str) -> None:
        self._known[_block(case)] = target
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def known(self, case: ExceptionCase) -> str | None:
        """None where nobody has learned it."""
        return self._known.get(_block(case))


INSTALLATIONS: Final = Installations()


async def installations_of(desk: Desk, cases: Sequence[ExceptionCase]) -> dict[str, str]:
    """By exception: where it was used last, else what it was asked for; empty where that is not known here."""
    lately = [
        (case, value)
        for case in cases
        if INSTALLATIONS.known(case) is None
        and (value := desk.mailbox.get(result_key(case.request_id))) is not None
    ]
    if lately:
        for case, target in await asyncio.to_thread(_targets, desk.events, lately):
            INSTALLATIONS.learn(case, target)
    return {case.exception_id: _used_at(case) or INSTALLATIONS.known(case) or "" for case in cases}


def _targets(events: Codec, blocks: Sequence[tuple[ExceptionCase, bytes]]) -> list[tuple[ExceptionCase, str]]:
    """Without those that cannot be read, or are of another question under the same request id."""
    decode = events.decoder(RESULTS, "CompatibilityChecked")
    found: list[tuple[ExceptionCase, str]] = []
    for case, value in blocks:
        with suppress(EventUnreadable):
            result = Result(decode(value))
            if rests_on(case, result.scope, result.report_digest):
                found.append((case, result.target))
    return found


def _used_at(case: ExceptionCase) -> str:
    return next((run.target for run in reversed(case.executions) if run.round == case.round), "")


def _block(case: ExceptionCase) -> _Block:
    return case.exception_id, case.request_id
