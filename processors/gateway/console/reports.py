"""The report of a request: verdict, ways out, causes, grounds, and the exception last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from processors.bootstrap.answering import may_be_asked_for
from processors.bootstrap.exception_workflow import read_policy
from processors.checker.views import html, markdown, sarif
from processors.checker.views.outline import outline
from processors.client.results import request_of
from processors.configuration.gateway import Role
from processors.events.report import RowWeighed
from processors.events.results import Result
from processors.events.subject import Subject
from processors.events.subject_record import subject_from_record
from processors.exception_workflow.config import ExceptionPolicy
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.check import known_result
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import Visitor, console_of, visiting
from processors.gateway.problems import Problem
from processors.gateway.representations import FORMS

TRIES: Final = 30
"""How often a page asks again, two seconds apart, before it says that there is no such request."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReport(Page):
    """A report. `article` is the HTML view of it, which escapes what comes from outside."""

    template = "report.html"
    request_id: str
    article: Markup
    verdict: str
    rows: Sequence[RowWeighed]
    refusals: Sequence[str]
    exception_id: str
    open_exception: str
    may_ask: bool
    operator: str
    environment: str
    target: str
    name: str
    decided_at: int | None
    matrix_expires_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoVerdict(Page):
    """Asked, and not answered yet."""

    template = "pending.html"
    request_id: str
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Page):
    """What a request was about: the whole of the installation that it was judged for."""

    template = "asked.html"
    request_id: str
    subject: Subject
    envelope: Mapping[str, Any]


@router.get("/requests/{request_id}")
async def report(
    request: Request,
    request_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER, Role.READER, Role.APPROVER, Role.AUDITOR)],
    tries: Annotated[int, Query(ge=0, le=100)] = 0,
) -> Response:
    result = await known_result(desk, request_id, visitor.who)
    if result is None and tries < TRIES and Role.REQUESTER in visitor.who.roles and _is_ours(request_id):
        page = NoVerdict(title="No verdict yet", request_id=request_id, tries=tries + 1)
        return show(request, page, 202, {"Refresh": f"2; url=/requests/{request_id}?tries={tries + 1}"})
    if result is None:
        raise Problem("not-found", "there is no such request")
    return show(request, await asyncio.to_thread(_report_page, result, visitor, read_policy(desk.settings)))


@router.get("/requests/{request_id}/asked")
async def asked(
    request: Request,
    request_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER, Role.READER, Role.APPROVER, Role.AUDITOR)],
) -> Response:
    result = await known_result(desk, request_id, visitor.who)
    found = None if result is None else await desk.read(request_of, desk.settings, desk.events, result)
    if found is None:
        raise Problem("not-found", "the topic does not hold this request any more")
    subject = subject_from_record(found["subject"])
    page = Asked(title="What was asked", request_id=request_id, subject=subject, envelope=found)
    return show(request, page)


@router.get("/requests/{request_id}/report.{form}")
async def download(
    request_id: str,
    form: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER, Role.READER, Role.APPROVER, Role.AUDITOR)],
) -> Response:
    result = await known_result(desk, request_id, visitor.who)
    if result is None or form not in _DOWNLOADS:
        raise Problem("not-found", "there is no such report")
    console = console_of(desk)
    media, render = _DOWNLOADS[form]
    text = await asyncio.to_thread(render, result, "" if console is None else console[0].url)
    name = f"report-{''.join(c for c in request_id if c.isalnum() or c == '-')[:60]}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media, headers=headers)


def _report_page(result: Result, visitor: Visitor, policy: ExceptionPolicy) -> BlockReport:
    report = result.seen
    said = outline(report)
    external = tuple(step for step in said.next_steps if step.is_link)
    shown = html.article(report, said._replace(next_steps=external), result.report_digest, result.request_id, "")
    scope = result.scope
    return BlockReport(
        title=f"{said.headline}: {said.asked} on {said.where}",
        request_id=result.request_id,
        article=Markup(shown),  # noqa: S704 - the view escapes whatever comes from outside
        verdict=report.verdict,
        rows=report.rows,
        refusals=result.refusals,
        exception_id=scope.exception_id,
        open_exception=result.exception_id or "",
        may_ask=may_be_asked_for(report, policy) and Role.REQUESTER in visitor.who.roles,
        operator=result.operator,
        environment=result.environment,
        target=result.target,
        name=result.plugin_name,
        decided_at=result.decided_at,
        matrix_expires_at=result.matrix_expires_at,
    )


_DOWNLOADS: Final[Mapping[str, tuple[str, Callable[[Result, str], str]]]] = {
    "html": (
        "text/html",
        lambda result, at: html.render(result.seen, result.report_digest, result.request_id, explained_at=at),
    ),
    "md": (
        "text/markdown",
        lambda result, at: markdown.render(result.seen, result.request_id, explained_at=at),
    ),
    "json": ("application/json", lambda result, _: FORMS["application/json"](result)),
    "sarif": (
        "application/sarif+json",
        lambda result, at: sarif.render(result.seen, result.report_digest, explained_at=at),
    ),
}


def _is_ours(request_id: str) -> bool:
    """Whether a gateway can have given this id: only then a verdict may still be on its way."""
    try:
        return str(UUID(request_id)) == request_id
    except ValueError:
        return False
