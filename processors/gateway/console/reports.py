"""The report of a request: a summary, ways out, the exception, and folded away what it all rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from processors.bootstrap.answering import may_be_asked_for, never_excepted
from processors.bootstrap.exception_workflow import read_policy
from processors.checker.plans.situation import can_be_asked_after
from processors.checker.views import html, markdown, sarif
from processors.checker.views.outline import Step, outline
from processors.client.exception_facts import OPEN
from processors.client.results import request_of
from processors.configuration.gateway import Role
from processors.errors import Unavailable
from processors.events.exceptions import Status
from processors.events.install_requests import KeptRequest
from processors.events.report import Remediation, Report, RowWeighed
from processors.events.results import Result
from processors.events.subject import Subject
from processors.events.vocabulary import RemedyKind, Verdict
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.executions import holds, words_stand
from processors.exception_workflow.rules.reasons import Reason
from processors.exception_workflow.rules.scope import basis_of, speaks_against
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.check import known_result
from processors.gateway.attachments import attachment
from processors.gateway.console.advice import Refusal, refusals
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.summary import Summary, what_to_do, what_was_allowed, who_was_asked
from processors.gateway.console.terms import Monitoring, monitoring_of
from processors.gateway.console.visitors import SEES_ALL, Visitor, console_of, now_ms, visiting
from processors.gateway.console.waiting import Found, find_exception, may_see
from processors.gateway.desk import Desk
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem
from processors.gateway.representations import FORMS

TRIES: Final = 30
"""How often a page asks again, two seconds apart, before it says that there is no such request."""

FEW: Final = 3
"""Sentences about what was found that a page shows unfolded."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReport(Page):
    """A report. Its parts are those of the HTML view, which escapes what comes from outside."""

    template = "report.html"
    request_id: str
    summary: Summary
    heading: Markup
    helps: Markup
    causes: Markup
    found: str
    """How much was found, in words."""
    unfolded: bool
    """Whether that is so little that nobody has to be spared it."""
    further: Markup
    grounds: Markup
    verdict: str
    rows: Sequence[RowWeighed]
    refusals: Sequence[Refusal]
    """Why the exception that the request names does not cover it."""
    named: str
    """The exception that the request names; empty if it names none."""
    case: ExceptionCase | None
    """The exception that would let this pass, in whatever round; None if nobody asked for it, or nothing blocks."""
    usable: bool
    """Whether nothing is known that speaks against `case`."""
    against: Sequence[Refusal]
    """What speaks against it, where it is approved."""
    holds: bool
    """Whether what an exception let pass may still be installed."""
    decided_on: bool
    """Whether the words of `case` are those under which this request was let pass."""
    unread: bool
    """Whether exceptions cannot be read now; then there may be one all the same."""
    sees_case: bool
    """Whether the page of `case` is the visitor's to see."""
    sees_all: bool
    """Whether the pages of all exceptions of their tenants are."""
    under: KeptRequest | None
    """The request, where it was made under an exception: what was acknowledged, and what watches it."""
    monitoring: Monitoring | None
    """What has to be attached; None unless an exception lets it pass."""
    is_open: bool
    may_ask: bool
    never: Sequence[str]
    """Codes of what blocks and nobody may except; then nobody can be asked."""
    switched_off: bool
    """Whether exceptions are switched off for all."""
    operator: str
    name: str
    digest: str
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
    request: KeptRequest


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
    excepted = result.verdict in (Verdict.BLOCK, Verdict.ALLOW_BY_EXCEPTION)
    found = await find_exception(desk, result.scope, visitor) if excepted else Found(None)
    under = await _under(desk, result) if result.exception_id else None
    render = partial(report_page, switched_on=desk.config().features.exceptions, under=under)
    return show(request, await asyncio.to_thread(render, result, found, visitor, read_policy(desk.settings)))


async def _under(desk: Desk, result: Result) -> KeptRequest | None:
    """What was said of a request under an exception. The report is needed without it, too."""
    with suppress(Unavailable, Crowded):
        return await desk.read(request_of, desk.settings, desk.events, result)
    return None


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
    page = Asked(title="What was asked", request_id=request_id, subject=found.subject, request=found)
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
    return Response(text, media_type=media, headers=attachment(f"report-{request_id}", form))


def report_page(
    result: Result,
    found: Found,
    visitor: Visitor,
    policy: ExceptionPolicy,
    *,
    switched_on: bool,
    under: KeptRequest | None = None,
) -> BlockReport:
    report, case = result.seen, found.case
    said = outline(report)
    asks = Role.REQUESTER in visitor.who.roles
    actions = [_action(plan, n, result.request_id) for n, plan in enumerate(report.remediations)] if asks else ()
    sees_case = case is not None and may_see(case, visitor)
    may_ask = asks and not found.unread and switched_on and may_be_asked_for(report, policy)
    blocks = result.verdict is Verdict.BLOCK
    ways = len(said.ways_out)
    never = never_excepted(report, policy) if blocks else ()
    told = blocks and not found.unread and switched_on and (case is not None or not never)
    asked = who_was_asked(case, policy, sees=sees_case) if told else ""
    against = _against(case, result, policy)
    usable = case is not None and not against
    allowed = result.verdict is Verdict.ALLOW_BY_EXCEPTION
    named = case if case is not None and case.exception_id == result.exception_id else None
    stands = allowed and named is not None and holds(named, result.request_id, now_ms())
    covers = not result.refusals
    if allowed:
        do = what_was_allowed(result.decided_at, holds=stands, unread=found.unread)
    else:
        do = what_to_do(result.verdict, ways, case, covers=covers, usable=usable, may_ask=may_ask)
    about = ", ".join(filter(None, (f"on {said.where}", result.target, result.environment)))
    return BlockReport(
        title=f"{said.headline}: {said.asked} on {said.where}",
        request_id=result.request_id,
        summary=Summary(do, asked),
        heading=_escaped(html.heading(report, said, f"{about}; {said.risk}")),
        helps=_escaped(html.ways_out(said, actions)),
        causes=_escaped(html.causes(said, "")),
        found=_found(report),
        unfolded=len(report.findings) + len(said.why_none) <= FEW,
        further=_escaped(html.further(step for step in said.next_steps if step.is_link)),
        grounds=_escaped(html.grounds(report, said, result.report_digest)),
        verdict=report.verdict,
        rows=report.rows,
        refusals=refusals(result.refusals),
        named=result.exception_id or "",
        case=case,
        monitoring=monitoring_of(policy, result.monitoring_profile) if result.monitoring_profile else None,
        is_open=case is not None and case.status in OPEN,
        usable=usable,
        against=refusals(against) if case is not None and case.status is Status.APPROVED else (),
        holds=stands,
        decided_on=allowed and named is not None and words_stand(named, result.request_id),
        unread=found.unread and (blocks or allowed),
        sees_case=sees_case,
        under=under,
        sees_all=bool(visitor.who.roles & SEES_ALL),
        may_ask=may_ask,
        never=never,
        switched_off=not switched_on,
        operator=result.operator,
        name=result.plugin_name,
        digest=result.report_digest,
        decided_at=result.decided_at,
        matrix_expires_at=result.matrix_expires_at,
    )


def _against(case: ExceptionCase | None, result: Result, policy: ExceptionPolicy) -> tuple[Reason, ...]:
    """What is known to speak against installing under the exception what a result is about."""
    if case is None:
        return ()
    basis = basis_of(result.record["report"], result.report_digest)
    return speaks_against(case, result.scope, basis, policy, now_ms())


def _found(report: Report) -> str:
    blocking = sum(finding.blocks for finding in report.findings)
    warning = len(report.findings) - blocking
    said = [f"{many} {one if many == 1 else more}" for many, one, more in
            ((blocking, "finding blocks", "findings block"), (warning, "warns", "warn")) if many]  # fmt: skip
    return ", ".join(said) or "nothing was found"


def _escaped(part: str) -> Markup:
    return Markup(part)  # noqa: S704 - the view escapes whatever comes from outside


def _action(plan: Remediation, number: int, request_id: str) -> Step:
    """The form that asks about the installation as a plan would leave it; nothing where nobody could say how."""
    if not can_be_asked_after(plan):
        return Step("", "")
    is_release = [change.kind for change in plan.changes] == [RemedyKind.INSTALL_VERSION]
    words = f"Check {plan.change.to} now" if is_release else "Check it as it would be then"
    return Step(words, f"/check?again={quote(request_id, safe='')}&plan={number}")


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
