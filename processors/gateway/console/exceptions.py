"""Exceptions: what waits for whom, and the story of one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from processors.bootstrap.exception_workflow import read_policy
from processors.client.approval_path import PathStep, Progress, path_of
from processors.client.exception_facts import OPEN
from processors.client.exceptions import history
from processors.configuration.gateway import Role
from processors.events.exceptions import ExceptionDecided, ProofKind, Status
from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_USES
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.executions import may_be_extended
from processors.exception_workflow.rules.rounds import Difference, differences
from processors.exception_workflow.rules.timers import UNDECIDED
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.exceptions import ExceptionChange, ask_to_change, own_case
from processors.gateway.console.advice import why_on_pages
from processors.gateway.console.endings import Ending, ending_before, ending_of
from processors.gateway.console.forms import Fault, one
from processors.gateway.console.may_decide import Standing
from processors.gateway.console.narrowing import Narrowed, Narrowing
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.terms import Terms, terms_of
from processors.gateway.console.visitors import Visitor, console_of, visiting
from processors.gateway.console.waiting import Rows, may_see, row_of, rows_of, signs_here
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form, validated
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem

PATIENCE: Final = 20.0
"""Seconds that a form waits for the workflow before it says that the answer is still to come."""

SHOWN: Final = 10
MOST: Final = 500
"""Exceptions that are over and listed, at first and on demand."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Page):
    """Exceptions: those that wait for the visitor, those that they asked for, and those of others."""

    template = "queue.html"
    rows: Rows
    decides: bool
    """Whether the visitor decides exceptions at all."""
    asks: bool
    everything: bool
    narrowed: Narrowing
    states: Sequence[Status]
    shown: int
    """How many are listed, of all that are the visitor's to see."""
    there: int


class Event(NamedTuple):
    """Something that happened to an exception. `why` is empty where nobody said.

    `in_vain` says what somebody tried without changing anything, empty for what counted; `request_id` is the
    installation that was not let pass, if it was one."""

    at: int
    event: str
    actor: str
    before: str
    after: str
    why: str
    in_vain: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Page):
    """An exception: where it stands, what may be done by whoever looks, and all that was decided."""

    template = "exception.html"
    case: ExceptionCase
    terms: Terms
    said: str
    path: Sequence[PathStep]
    step: PathStep | None
    """The one that waits."""
    due: int | None
    standing: Standing
    may_sign: bool
    approvals_at: str
    undecided: bool
    mine: bool
    may_extend: bool
    extendable: bool
    """Whether whoever asked for it may still ask for more time."""
    may_revoke: bool
    revokers: Sequence[str]
    """Roles that may revoke it."""
    may_ask_again: bool
    differences: Sequence[Difference]
    """Between this round and the one before."""
    ended: Ending | None
    """How this round ended; None while it is open."""
    ended_before: Ending | None
    """How the round before ended."""
    events: Sequence[Event]
    following: str
    """The next exception that waits for the visitor; empty if there is none."""
    fault: Fault | None = None
    """What is wrong with a decision that was written and not taken; `typed` is what was written."""
    typed: str = ""


@router.get("/exceptions")
async def queue(
    request: Request,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.READER, Role.APPROVER, Role.REQUESTER, rate=Rate.LEDGER)],
    narrowed: Narrowed,
    everything: bool = False,
) -> Response:
    """Who only asks sees what they asked for."""
    every = await rows_of(desk, visitor)
    rows = every.narrowed(narrowed)
    page = Queue(
        title="Exceptions",
        rows=rows._replace(over=rows.over[: MOST if everything else SHOWN]),
        decides=Role.APPROVER in visitor.who.roles,
        asks=Role.REQUESTER in visitor.who.roles,
        everything=everything or len(rows.over) <= SHOWN,
        narrowed=narrowed,
        states=[status for status in Status if status is not Status.UNKNOWN],
        shown=sum(map(len, rows)),
        there=sum(map(len, every)),
    )
    return show(request, page)


@router.get("/exceptions/{exception_id}")
async def story(
    request: Request,
    exception_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.READER, Role.APPROVER, Role.REQUESTER)],
    said: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    case = await own_case(desk, exception_id, visitor.who)
    if not may_see(case, visitor):
        raise Problem("forbidden", "this page is for the roles reader and approver, and for whoever asked for it")
    page = await story_of(desk, visitor, case, said)
    checking = case.status is Status.CHECKING  # only for as long as the guard needs to give the report again
    return show(request, page, headers={"Refresh": "2"} if checking else None)


async def story_of(
    desk: Desk, visitor: Visitor, case: ExceptionCase, said: str = "", fault: str = "", typed: str = ""
) -> Story:
    """The page of an exception; with a `fault`, as the answer to a decision that was written and not taken."""
    policy = read_policy(desk.settings)
    past, terms = await asyncio.gather(
        desk.read(history, desk.settings, desk.events, case.exception_id), terms_of(desk, case, policy)
    )
    row, path = row_of(case, policy, visitor, desk), path_of(policy, case.band, case)
    lasts = case.status in (Status.APPROVED, Status.NEEDS_REVIEW)
    title = f"Exception: {case.scope.plugin_id} {case.scope.plugin_version}"
    return Story(
        title=f"Not sent yet: {title}" if fault else title,
        case=case,
        terms=terms,
        said=said,
        path=path,
        step=next((step for step in path if step.progress is Progress.WAITS), None),
        due=row.due,
        standing=row.standing,
        may_sign=signs_here(desk, policy) and ProofKind.ID_TOKEN_NONCE in policy.band_rule(case.band).proofs,
        approvals_at=_approvals_at(desk, case),
        undecided=case.status in UNDECIDED,
        mine=row.mine,
        may_extend=row.mine and may_be_extended(case),
        extendable=may_be_extended(case),
        may_revoke=_may_revoke(desk, visitor, policy) and lasts,
        revokers=policy.revocation_roles,
        may_ask_again=Role.REQUESTER in visitor.who.roles and case.status not in OPEN | {Status.VOIDED},
        differences=differences(case),
        ended=ending_of(case, past),
        ended_before=ending_before(case, past),
        events=[event_of(decided) for decided in past],
        following=await _next(desk, visitor, case.exception_id) if said == "counted" else "",
        fault=Fault("reason", fault) if fault else None,
        typed=typed,
    )


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


async def _next(desk: Desk, visitor: Visitor, besides: str) -> str:
    waiting = [row for row in (await rows_of(desk, visitor)).yours if row.case.exception_id != besides]
    return waiting[0].case.exception_id if waiting else ""


def _may_revoke(desk: Desk, visitor: Visitor, policy: ExceptionPolicy) -> bool:
    return signs_here(desk, policy) and bool(visitor.workflow_roles & set(policy.revocation_roles))


def _approvals_at(desk: Desk, case: ExceptionCase) -> str:
    """Where the approval service decides it; empty where none is named."""
    console = console_of(desk)
    approvals = console[0].approvals if console is not None else None
    return (approvals or "").replace("{exception_id}", quote(case.exception_id, safe=""))


def event_of(decided: ExceptionDecided) -> Event:
    actor, topic = decided.actor, decided.caused_by.partition("/")[0]
    tried = _in_vain(topic, actor) if decided.event == "refused" else ""
    return Event(
        at=decided.at,
        event=decided.event,
        actor=actor,
        before=decided.from_state,
        after=decided.to_state,
        why=why_on_pages(decided),
        in_vain=tried,
        request_id=decided.request_id if tried and topic == EXCEPTION_USES else "",
    )


def _in_vain(topic: str, actor: str) -> str:
    """What somebody tried: nothing of it says that the exception itself was refused."""
    who = actor or "somebody unknown"
    if topic == EXCEPTION_USES:
        return f"not let pass: an installation that {who} asked for"
    what = "a decision of" if topic == APPROVAL_DECISIONS else "something that was sent by"
    return f"did not count: {what} {who}"
