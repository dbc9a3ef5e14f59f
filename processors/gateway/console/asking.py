"""Asking for an exception from a block. What does not do comes back with the form, as it was typed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple, cast
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from processors.bootstrap.answering import may_be_asked_for
from processors.bootstrap.exception_workflow import read_policy
from processors.client.approval_path import PathStep, path_of
from processors.client.exception_commands import slip_in
from processors.client.exception_facts import OPEN
from processors.client.exceptions import history
from processors.client.transport import Wanted
from processors.configuration.gateway import Role
from processors.documents.canonical import digest_of
from processors.errors import Unavailable
from processors.events.results import Result
from processors.events.vocabulary import Band
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.check import known_result
from processors.gateway.api.exceptions import ExceptionRequest, ask_for, require_printable
from processors.gateway.console.advice import refusal, without_commands
from processors.gateway.console.endings import Ending, Past, ending_of
from processors.gateway.console.forms import Fault, one, several
from processors.gateway.console.prompts import Prompt, answers_of, prompts_of, statement_of
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.terms import Terms, permitted
from processors.gateway.console.visitors import Visitor, visiting
from processors.gateway.console.waiting import case_of_scope, find_exception, is_mine, may_see
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form, validated
from processors.gateway.limits import Rate
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem

PATIENCE: Final = 20.0
"""Seconds that a form waits for the workflow before it says that the answer is still to come."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Page):
    """The form for an exception, filled in with what is known of the block, or with what was typed before."""

    template = "ask.html"
    request_id: str
    terms: Terms
    before: ExceptionCase | None
    """The round before, of the same exception; None where there was none, or it is not the visitor's to see."""
    round: int
    ended: Ending | None
    """How that round ended; None where nobody knows."""
    kept: bool
    """Whether the form is filled in with what was written in that round."""
    band: Band
    path: Sequence[PathStep]
    total: int
    """Milliseconds within which a request is to be decided."""
    prompts: Sequence[Prompt]
    shortest_risk: int
    chosen: Sequence[str]
    controls: str
    window: bool
    fault: Fault | None
    key: str
    """Goes with the form, so that a second click on it asks nothing twice."""


class Typed(NamedTuple):
    """A form as it was sent."""

    answers: Sequence[str]
    findings: Sequence[str]
    controls: str
    window: bool
    key: str

    @property
    def limits(self) -> tuple[str, ...]:
        return tuple(line.strip() for line in self.controls.splitlines() if line.strip())


@router.get("/requests/{request_id}/exception")
async def ask(
    request: Request, request_id: str, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.REQUESTER)]
) -> Response:
    result, policy = await _block(desk, request_id, visitor), read_policy(desk.settings)
    before = await case_of_scope(desk, result.scope, visitor)
    if before is not None and before.status in OPEN:
        return _to_open(request_id, before, visitor)
    return show(request, await _form(desk, visitor, result, policy, before))


@router.post("/requests/{request_id}/exception")
async def asked(
    request: Request,
    request_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER, rate=Rate.CHECK)],
) -> Response:
    typed = _typed(await read_form(request))
    result, policy = await _block(desk, request_id, visitor), read_policy(desk.settings)
    statement = statement_of(policy.risk_statement.template, typed.answers)
    wanted = ready(request_id, typed, statement, policy)
    if isinstance(wanted, Fault):
        fault = wanted
    else:
        try:
            key = f"{typed.key} {digest_of(wanted.model_dump_json().encode())}" if typed.key else None
            exception_id, decided = await ask_for(desk, wanted, visitor.who, key, PATIENCE)
            return to(f"/exceptions/{exception_id}?said={'asked' if decided is not None else 'later'}")
        except Problem as problem:
            if problem.kind.name == "already-open":
                return _to_open(request_id, await case_of_scope(desk, result.scope, visitor), visitor)
            if problem.kind.name != "unprocessable":
                raise
            fault = _refused(problem)
    before = (await find_exception(desk, result.scope, visitor)).case
    return show(request, await _form(desk, visitor, result, policy, before, typed, fault), 422)


def _to_open(request_id: str, case: ExceptionCase | None, visitor: Visitor) -> Response:
    """To what is open already; the report says as much to whoever may not see that."""
    if case is not None and may_see(case, visitor):
        return to(f"/exceptions/{quote(case.exception_id, safe='')}?said=open")
    return to(f"/requests/{quote(request_id, safe='')}")


async def _block(desk: Desk, request_id: str, visitor: Visitor) -> Result:
    result = await known_result(desk, request_id, visitor.who)
    if result is None:
        raise Problem("not-found", "there is no such request")
    if not may_be_asked_for(result.report, read_policy(desk.settings)):
        raise Problem("refused", "nobody can except what this report says; follow its ways out")
    if not desk.config().features.exceptions:
        raise Problem("refused", "exceptions are switched off; take a way out that the report names")
    return result


async def _form(
    desk: Desk,
    visitor: Visitor,
    result: Result,
    policy: ExceptionPolicy,
    before: ExceptionCase | None,
    typed: Typed | None = None,
    fault: Fault | None = None,
) -> Ask:
    """With what was said of the round before, and, where the visitor wrote it, with its words."""
    report = result.report
    round = 1 if before is None else before.round + 1
    seen = before if before is not None and may_see(before, visitor) else None
    past = () if seen is None else await _past(desk, seen, needed=fault is None)
    kept = typed is None and seen is not None and is_mine(seen, visitor)
    if typed is None and seen is not None and kept:
        typed = written_before(seen, policy)
    terms = permitted(result.scope, result.target, round, report.findings, report.risk.band, policy)
    title = f"Ask for an exception: {report.plugin_id} {report.plugin_version}"
    return Ask(
        title=title if fault is None else f"{'Refused' if fault.sent else 'Not sent yet'}: {title}",
        request_id=result.request_id,
        terms=terms,
        before=seen,
        round=round,
        ended=None if seen is None else ending_of(seen, past),
        kept=kept,
        band=report.risk.band,
        path=path_of(policy, report.risk.band),
        total=policy.clocks.total,
        prompts=prompts_of(policy.risk_statement.template, typed.answers if typed else ()),
        shortest_risk=policy.risk_statement.min_length,
        chosen=typed.findings if typed and not kept else [finding.id for finding in terms.findings],
        controls=typed.controls if typed else "",
        window=typed.window if typed else False,
        fault=fault,
        key=str(uuid.uuid4()),
    )


async def _past(desk: Desk, case: ExceptionCase, *, needed: bool) -> Past:
    """What was decided about an exception. Where it is not `needed`, nothing instead of an error: a form that goes
    back keeps what was typed, whatever cannot be read."""
    try:
        return await desk.read(history, desk.settings, desk.events, case.exception_id)
    except (Unavailable, Crowded):
        if needed:
            raise
        return ()


def written_before(case: ExceptionCase, policy: ExceptionPolicy) -> Typed:
    """The words of a round, to begin the next one with. What blocks is chosen anew: it may have changed since."""
    return Typed(
        answers=answers_of(policy.risk_statement.template, case.risk_statement),
        findings=(),
        controls="\n".join(case.controls),
        window=not case.single_use,
        key="",
    )


def _typed(fields: Mapping[str, Any]) -> Typed:
    return Typed(
        answers=[text.replace("\r\n", "\n") for text in several(fields, "risk")],
        findings=several(fields, "finding"),
        controls=one(fields, "controls").replace("\r\n", "\n"),
        window=one(fields, "use") == "window",
        key=one(fields, "key")[:100],
    )


def ready(request_id: str, typed: Typed, statement: str, policy: ExceptionPolicy) -> ExceptionRequest | Fault:
    """What can be sent, or what is wrong with it: nothing is sent then, and nothing is written down."""
    if fault := _slip(typed, statement, policy):
        return fault
    try:
        wanted = validated(_wanted(request_id, typed, statement), ExceptionRequest)
        require_printable(wanted)
    except Problem as problem:
        return Fault(_PLACES.get(re.split(r"\W", problem.detail, maxsplit=1)[0], ""), f"{problem.detail}.")
    return wanted


def _refused(problem: Problem) -> Fault:
    """What came back for what was sent."""
    code = str(problem.more.get("reason_code", ""))
    said = without_commands(problem.detail) if code else problem.detail
    return Fault(_field(code), f"{said}.", sent=True)


def _wanted(request_id: str, typed: Typed, statement: str) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "risk_statement": statement,
        "findings": typed.findings,
        "compensating_controls": typed.limits,
        "single_use": not typed.window,
    }


def _slip(typed: Typed, statement: str, policy: ExceptionPolicy) -> Fault | None:
    """What the workflow would refuse for its form."""
    if not typed.findings:
        return Fault("finding", "Choose at least one of what blocks; none would mean all of it.")
    objection = slip_in(Wanted(risk=statement, controls=typed.limits), policy)
    return None if objection is None else _fault(objection)


def _fault(objection: Objection) -> Fault:
    said = refusal(objection.reasons[0]).sentence
    return Fault(_field(objection.reasons[0]), f"{said} ({objection.text}).")


def _field(code: str) -> str:
    return cast("Mapping[str, str]", _FIELDS).get(code, "")


_PLACES: Final = {"risk_statement": "risk", "compensating_controls": "controls", "findings": "finding"}
"""Fields of what is sent, and those of the form that they come from."""
_FIELDS: Final[Mapping[Reason, str]] = {
    Reason.RISK_STATEMENT_MISSING: "risk",
    Reason.UNKNOWN_FINDING: "finding",
    Reason.TOO_MANY_FINDINGS: "finding",
    Reason.CONTROLS_MISSING: "controls",
    Reason.WINDOW_NOT_ALLOWED: "use",
}
"""Where a reason is about one field."""
