"""The matrix: how fresh each source is, and what a new one would change before anybody publishes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from processors.checker.impact import Change
from processors.client.exception_facts import OPEN
from processors.client.exceptions import all_cases
from processors.client.impact import ExceptionChange, Replayed, changed_exceptions, replayed
from processors.configuration.gateway import Role
from processors.errors import DocumentRefused
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.matrix import cached, matrix_status
from processors.gateway.console.forms import file, one
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import Visitor, now_ms, visiting
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem
from processors.matrix.document import MatrixDocument
from processors.matrix.lint import Notice, errors, lint
from processors.matrix.text import inspect_matrix
from processors.staleness.freshness import Level

MOST_QUESTIONS: Final = 2_000
"""Different questions that are asked again here; `compat-guard matrix publish --impact` asks all of them."""

DAY: Final = 24 * 3_600_000
SHOWN: Final = 200

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_one_at_a_time = asyncio.Lock()


class Standing(NamedTuple):
    """A source of the matrix, and what its age means for requests now."""

    source: str
    level: str
    revision: str
    age_hours: float
    used_percent: int
    expires_at: int
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness(Page):
    """The sources of the matrix, those that expire first on top. `missing` are those that are required and that
    nobody has published."""

    template = "matrix.html"
    standings: Sequence[Standing]
    missing: Sequence[str]
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactPage(Page):
    """What a matrix would change: verdicts of past requests, and live exceptions."""

    template = "impact.html"
    name: str
    document: MatrixDocument | None
    notices: Sequence[Notice]
    days: int
    replayed: Replayed | None
    changes: Sequence[Change]
    more: int
    """Changes that are not shown."""
    exceptions: Sequence[ExceptionChange]
    judged: int


@router.get("/matrix")
async def freshness(
    request: Request, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.READER, rate=Rate.LEDGER)]
) -> Response:
    page = Freshness(
        title="Compatibility matrix",
        standings=[_standing(source) for source in await matrix_status(desk, visitor.who)],
        missing=sorted((await cached.read(desk)).missing),
        most=MOST_QUESTIONS,
    )
    return show(request, page)


@router.post("/matrix/impact")
async def impact(
    request: Request, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.READER, rate=Rate.APPROVE)]
) -> Response:
    """Nothing is published and nobody is told."""
    fields = await read_form(request)
    uploaded = file(fields, "matrix")
    if uploaded is None:
        raise Problem("unprocessable", "choose a matrix file")
    name, content = uploaded
    days = _days(one(fields, "days"))
    document, notices = await asyncio.to_thread(_read, name, content)
    if document is None or errors(notices):
        page = _page(name, document, notices, days)
        return show(request, page, 422)
    if _one_at_a_time.locked():
        raise Problem("crowded", "somebody measures an impact right now; try again in a minute")
    async with _one_at_a_time:
        page = await desk.read(_measured, desk, visitor, name, document, notices, days)
    return show(request, page)


def _measured(
    desk: Desk, visitor: Visitor, name: str, document: MatrixDocument, notices: Sequence[Notice], days: int
) -> ImpactPage:
    """In a thread."""
    now = now_ms()
    found = replayed(desk.settings, desk.events, [document], now - days * DAY, until=now, most=MOST_QUESTIONS)
    cases = [
        case
        for case in all_cases(desk.settings, desk.events)
        if case.scope.tenant in visitor.who.tenants and case.status in OPEN
    ]
    return _page(name, document, notices, days, found, changed_exceptions(cases, found.judge), judged=len(cases))


def _page(
    name: str,
    document: MatrixDocument | None,
    notices: Sequence[Notice],
    days: int,
    found: Replayed | None = None,
    exceptions: Sequence[ExceptionChange] = (),
    judged: int = 0,
) -> ImpactPage:
    changes = () if found is None else found.impact.changes()
    return ImpactPage(
        title="It must not be published" if found is None else "What it would change",
        name=name,
        document=document,
        notices=notices,
        days=days,
        replayed=found,
        changes=changes[:SHOWN],
        more=max(0, len(changes) - SHOWN),
        exceptions=exceptions,
        judged=judged,
    )


def _read(name: str, content: bytes) -> tuple[MatrixDocument | None, Sequence[Notice]]:
    """The matrix and what is wrong with it; None where it cannot be read at all."""
    try:
        document, problems = inspect_matrix(content, json=name.endswith(".json"))
    except DocumentRefused as error:
        return None, [Notice("", str(error), is_error=True)]
    if problems:
        return None, [Notice(problem.place, problem.message, is_error=True) for problem in problems]
    return document, lint(document, now_ms())


def _standing(source: dict[str, Any]) -> Standing:
    level = Level(source["level"])
    return Standing(
        source=source["source"],
        level=level,
        revision=source["revision"],
        age_hours=source["age_hours"],
        used_percent=source["used_percent"],
        expires_at=round(datetime.fromisoformat(source["expires_at"]).timestamp() * 1000),
        effect=_EFFECTS.get(level, "it counts"),
    )


_EFFECTS: Final[Mapping[Level, str]] = {
    Level.EXPIRED: "every request that rests on it is blocked until it is published again",
    Level.AGEING: "it still counts; publish it again before it expires",
    Level.AHEAD: "it was issued in the future, so nobody can tell how old it is: see whose clock is wrong, and "
    "withdraw it before it is published again",
}


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= 30:
        raise Problem("malformed", "days: expected a number from 1 to 30")
    return int(text)
