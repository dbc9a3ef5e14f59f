"""Exceptions: asking for one from a block, what waits for whom, and the story of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from processors.bootstrap.answering import may_be_asked_for
from processors.bootstrap.exception_workflow import read_policy
from processors.client.exception_facts import OPEN
from processors.client.exceptions import all_cases, history, why
from processors.configuration.gateway import Role
from processors.events.exceptions import ProofKind, Scope, Status
from processors.events.report import Finding
from processors.events.vocabulary import Band
from processors.exception_workflow.config import BandRule, ExceptionPolicy, Proves
from processors.exception_workflow.rules.executions import way_out
from processors.exception_workflow.rules.rounds import Difference, differences
from processors.exception_workflow.rules.timers import REVIEWING, current_step, next_due, step_deadline
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.check import known_result
from processors.gateway.api.exceptions import (
    ExceptionChange,
    ExceptionRequest,
    ask_for,
    ask_to_change,
    own_case,
)
from processors.gateway.console.forms import one
from processors.gateway.console.may_decide import Standing, standing_of
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, console_of, now_ms, visiting
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form, validated
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem

PATIENCE = 20.0
"""Seconds that a form waits for the workflow before it says that the answer is still to come."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Page):
    """The form for an exception, filled in with what is known of the block."""

    template = "ask.html"
    request_id: str
    exception_id: str
    scope: Scope
    findings: Sequence[Finding]
    band: Band
    rule: BandRule
    flow: Sequence[tuple[str, str, int, int]]
    """Of each step: its name, the roles that may decide it, how many must agree, and milliseconds of its SLA."""
    profile: tuple[str, str, Sequence[str]]
    """The monitoring that will be demanded: its name, what it is, and what must be attached."""
    template_of_risk: str
    shortest_risk: int


class Row(NamedTuple):
    """One exception of the queue, and how it stands towards whoever looks."""

    case: ExceptionCase
    step: str
    due: int | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Page):
    """Open exceptions: those that wait for the visitor, those that wait for others, and those in force."""

    template = "queue.html"
    yours: Sequence[Row]
    others: Sequence[Row]
    in_force: Sequence[Row]
    over: Sequence[Row]
    everything: bool


class Event(NamedTuple):
    """Something that was decided about an exception. `why` is empty unless it was refused or ended."""

    at: int
    event: str
    actor: str
    before: str
    after: str
    why: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Page):
    """An exception: where it stands, what may be done by whoever looks, and all that was decided."""

    template = "exception.html"
    case: ExceptionCase
    said: str
    step: str
    roles: Sequence[str]
    needed: int
    given: int
    due: int | None
    next_timer: int | None
    standing: Standing
    may_sign: bool
    approvals_at: str
    reviewing: bool
    mine: bool
    may_extend: bool
    may_revoke: bool
    what_next: str
    profile: tuple[str, str, Sequence[str]]
    differences: Sequence[Difference]
    """Between this round and the one before."""
    events: Sequence[Event]
    following: str
    """The next exception that waits for the visitor; empty if there is none."""


@router.get("/requests/{request_id}/exception")
async def ask(
    request: Request, request_id: str, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.REQUESTER)]
) -> Response:
    result = await known_result(desk, request_id, visitor.who)
    if result is None:
        raise Problem("not-found", "there is no such request")
    report, policy = result.report, read_policy(desk.settings)
    if not may_be_asked_for(report, policy):
        raise Problem("refused", "nobody can except what this report says; follow its ways out")
    scope = result.scope
    rule = policy.band_rule(report.risk.band)
    page = Ask(
        title=f"Ask for an exception: {report.plugin_id} {report.plugin_version}",
        request_id=request_id,
        exception_id=scope.exception_id,
        scope=scope,
        findings=[finding for finding in report.findings if finding.blocks],
        band=report.risk.band,
        rule=rule,
        flow=[_told(policy, step.name, step.threshold, step.sla) for step in policy.flow(report.risk.band)],
        profile=_profile(policy, rule.monitoring),
        template_of_risk=policy.risk_statement.template,
        shortest_risk=policy.risk_statement.min_length,
    )
    return show(request, page)


@router.post("/requests/{request_id}/exception")
async def asked(
    request: Request,
    request_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER, rate=Rate.CHECK)],
) -> Response:
    fields = await read_form(request)
    controls = [line for line in one(fields, "controls").splitlines() if line.strip()]
    wanted = validated(
        {
            "request_id": request_id,
            "risk_statement": one(fields, "risk"),
            "findings": fields.get("finding", []),
            "compensating_controls": controls,
            "single_use": one(fields, "use") != "window",
        },
        ExceptionRequest,
    )
    exception_id, decided = await ask_for(desk, wanted, visitor.who, one(fields, "key") or None, PATIENCE)
    return to(f"/exceptions/{exception_id}?said={'asked' if decided is not None else 'later'}")


@router.get("/exceptions")
async def queue(
    request: Request,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.READER, Role.APPROVER, rate=Rate.LEDGER)],
    everything: bool = False,
) -> Response:
    policy = read_policy(desk.settings)
    rows = [_row(case, policy, visitor, desk) for case in await _own(desk, visitor)]
    rows.sort(key=lambda row: row.due or 2**62)
    waiting = [row for row in rows if row.case.status in REVIEWING]
    page = Queue(
        title="Exceptions",
        yours=[row for row in waiting if row.standing.may_decide],
        others=[row for row in waiting if not row.standing.may_decide],
        in_force=[row for row in rows if row.case.status in OPEN - REVIEWING],
        over=sorted((row for row in rows if row.case.status not in OPEN), key=lambda row: -row.case.changed_at)[
            : 500 if everything else 10
        ],
        everything=everything,
    )
    return show(request, page)


@router.get("/exceptions/{exception_id}")
async def story(
    request: Request,
    exception_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.READER, Role.APPROVER)],
    said: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    case, policy = await own_case(desk, exception_id, visitor.who), read_policy(desk.settings)
    past = await desk.read(history, desk.settings, desk.events, exception_id)
    row = _row(case, policy, visitor, desk)
    step = current_step(case, policy) if case.status in REVIEWING else None
    threshold = policy.thresholds[step.threshold] if step is not None else None
    console = console_of(desk)
    approvals = console[0].approvals if console is not None else None
    mine = (case.requester.subject, case.requester.issuer) == (visitor.who.subject, visitor.who.issuer)
    may_sign = _signs_here(desk, policy)
    page = Story(
        title=f"Exception: {case.scope.plugin_id} {case.scope.plugin_version}",
        case=case,
        said=said,
        step=row.step,
        roles=threshold.roles if threshold else (),
        needed=threshold.approve if threshold else 0,
        given=sum(approval.step == row.step for approval in case.approvals),
        due=row.due,
        next_timer=next_due(case, policy),
        standing=row.standing,
        may_sign=may_sign and ProofKind.ID_TOKEN_NONCE in policy.band_rule(case.band).proofs,
        approvals_at=(approvals or "").replace("{exception_id}", quote(case.exception_id, safe="")),
        reviewing=case.status in REVIEWING,
        mine=mine,
        may_extend=mine and case.status in (Status.APPROVED, Status.NEEDS_REVIEW) and not case.extended,
        may_revoke=may_sign
        and case.status in (Status.APPROVED, Status.NEEDS_REVIEW)
        and bool(visitor.workflow_roles & set(policy.revocation_roles)),
        what_next=way_out(case),
        profile=_profile(policy, case.profile),
        differences=differences(case),
        events=[_event(decided) for decided in past],
        following=await _next(desk, visitor, policy, exception_id) if said == "counted" else "",
    )
    checking = case.status is Status.CHECKING  # only for as long as the guard needs to give the report again
    return show(request, page, headers={"Refresh": "2"} if checking else None)


@router.post("/exceptions/{exception_id}/{kind}")
async def change(
    request: Request,
    exception_id: str,
    kind: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER, rate=Rate.CHECK)],
) -> Response:
    if kind not in ("withdraw", "extend"):
        raise Problem("not-found", "there is nothing under this address")
    fields = await read_form(request)
    wanted = validated({"kind": kind, "reason": one(fields, "reason")}, ExceptionChange)
    decided = await ask_to_change(desk, exception_id, wanted, visitor.who, one(fields, "key") or None, PATIENCE)
    return to(f"/exceptions/{quote(exception_id, safe='')}?said={'done' if decided is not None else 'later'}")


async def _own(desk: Desk, visitor: Visitor) -> list[ExceptionCase]:
    cases = await desk.read(all_cases, desk.settings, desk.events)
    return [case for case in cases if case.scope.tenant in visitor.who.tenants]


async def _next(desk: Desk, visitor: Visitor, policy: ExceptionPolicy, besides: str) -> str:
    rows = [_row(case, policy, visitor, desk) for case in await _own(desk, visitor) if case.status in REVIEWING]
    waiting = [row for row in rows if row.standing.may_decide and row.case.exception_id != besides]
    return min(waiting, key=lambda row: row.due or 2**62).case.exception_id if waiting else ""


def _row(case: ExceptionCase, policy: ExceptionPolicy, visitor: Visitor, desk: Desk) -> Row:
    step = current_step(case, policy) if case.status in REVIEWING else None
    due = step_deadline(case, policy) or (case.valid_until if case.status is Status.APPROVED else None)
    standing = standing_of(case, policy, visitor, now_ms(), signs=_signs_here(desk, policy))
    return Row(case, step.name if step is not None else "", due, standing)


def _signs_here(desk: Desk, policy: ExceptionPolicy) -> bool:
    """Whether an ID token of whoever logs in here proves a decision to the workflow."""
    console = console_of(desk)
    return console is not None and any(
        issuer.issuer == console[1].issuer
        and ProofKind.ID_TOKEN_NONCE in issuer.kinds
        and Proves.DECISIONS in issuer.proves
        for issuer in policy.proof.issuers
    )


def _told(policy: ExceptionPolicy, name: str, threshold: str, sla: int) -> tuple[str, str, int, int]:
    who = policy.thresholds[threshold]
    return name, " or ".join(who.roles), who.approve, sla


def _profile(policy: ExceptionPolicy, name: str) -> tuple[str, str, Sequence[str]]:
    profile = policy.monitoring.get(name)
    return (name, profile.description, profile.addons) if profile is not None else (name, "", ())


def _event(decided: dict[str, Any]) -> Event:
    refused = decided["event"] == "refused"
    return Event(
        at=int(decided["at"]),
        event=decided["event"],
        actor=decided["actor"],
        before=decided["from_state"],
        after=decided["to_state"],
        why=why(decided),
        refused=refused,
    )
