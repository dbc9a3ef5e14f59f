"""Exceptions: requests, signed decisions, and views."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from processors.bootstrap.exception_workflow import read_policy
from processors.client.approvals import first_answer
from processors.client.block import Block, from_block
from processors.client.exception_commands import amendment, command, extended_until, kept
from processors.client.exception_commands import request as asked_from
from processors.client.exception_facts import by_urgency, facts_of, monitoring_of, waiting_of
from processors.client.exceptions import all_cases, case_of, history
from processors.client.results import results_of
from processors.client.transport import Change, NoSuchException, QuestionUnclear, Wanted
from processors.configuration.gateway import Role
from processors.documents.scalars import unprintable
from processors.events.exceptions import (
    ApprovalDecision,
    CommandKind,
    ExceptionDecided,
    ExceptionRequested,
    Person,
    ProofKind,
)
from processors.events.kinds import APPROVAL_DECIDED, EXCEPTION_COMMANDED
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk, holding
from processors.gateway.api.check import Key, Prefer, retry_after, unclear
from processors.gateway.asking import id_under
from processors.gateway.auth.principal import Principal
from processors.gateway.auth.tokens import TokenRefused, read
from processors.gateway.commanding import decide, refuse
from processors.gateway.desk import Desk
from processors.gateway.intake import parsed, patience, read_json
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem, documented

PREFIX: Final = "/internal/exceptions"

router = APIRouter(tags=["exceptions"])

Text = Annotated[str, Field(max_length=4000)]
Id = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExceptionRequest(_Body):
    """An exception from the block of a request, for as long and as little as possible."""

    request_id: Id = Field(description="the blocked request")
    risk_statement: Text = Field(description="what is at risk, and why it is worth it")
    findings: tuple[Id, ...] = Field(default=(), max_length=500, description="ids or codes; all that block if none")
    compensating_controls: tuple[Text, ...] = Field(default=(), max_length=20)
    valid_until: int | None = Field(default=None, ge=0, le=2**53, description="milliseconds since the epoch")
    single_use: bool = Field(default=True, description="for one installation")
    question: str | None = Field(default=None, max_length=64, description="which one, if the id was used twice")


class ExceptionChange(_Body):
    """What the requester of an exception asks besides: to change it, to take it back, or more time."""

    kind: Literal["amend", "withdraw", "extend"]
    reason: Text = ""
    longer: int | None = Field(
        default=None,
        ge=0,
        le=2**53,
        description="extend: milliseconds beyond its end, or beyond now if that is over; the most if not set",
    )
    valid_until: int | None = Field(
        default=None, ge=0, le=2**53, description="amend, extend: the end, in milliseconds since the epoch"
    )
    request_id: Id | None = Field(default=None, description="amend: the newer block that it rests on")
    question: str | None = Field(
        default=None, max_length=64, description="amend: which one, if the id was used twice"
    )
    risk: Text | None = Field(default=None, description="amend: what is at risk")
    findings: tuple[Id, ...] | None = Field(default=None, max_length=500, description="amend: ids or codes")
    controls: tuple[Text, ...] | None = Field(
        default=None, max_length=20, description="amend: compensating controls"
    )
    single_use: bool | None = Field(default=None, description="amend: for one installation")


class Approval(_Body):
    """A decision as an approval tool or identity provider signed it; schemas/APPROVALS.md lists the claims."""

    exception_id: Id
    proof: str = Field(min_length=1, max_length=16 * 1024, description="compact JWS")
    proof_kind: Literal["SERVICE_JWS", "ID_TOKEN_NONCE"] = "SERVICE_JWS"
    decision: str | None = Field(default=None, max_length=16 * 1024, description="canonical JSON behind a nonce")


_DECIDED: Final[dict[str, Any]] = {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ExceptionDecided"}}}
}
_LATER: Final[dict[str, Any]] = {
    "description": "Written, and not decided yet; it may still take effect. A retry repeats nothing",
    "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
    "content": {"application/json": {"schema": {"type": "object"}}},
}
_VIEW: Final[dict[str, Any]] = {
    "description": "Found",
    "content": {"application/json": {"schema": {"type": "object"}}},
}

_LIST: Final[dict[str, Any]] = {
    "description": "Found, the most urgent first",
    "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
}


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "/internal/version/compat/exception",
    summary="Request an exception for a block",
    operation_id="requestException",
    responses={
        **documented(404, 409, 422),
        201: {"description": "It waits for approval", **_DECIDED},
        202: _LATER,
    },
    response_class=Response,
    openapi_extra=_body(ExceptionRequest),
)
async def request_exception(
    request: Request,
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.REQUESTER, rate=Rate.CHECK)],
    key: Key = None,
    prefer: Prefer = None,  # noqa: ARG001 - for the contract; it is read with every other Prefer
) -> Response:
    """The requester is the person of the token: the gateway signs the command for them."""
    asked = await read_json(request, ExceptionRequest)
    exception_id, decided = await ask_for(desk, asked, who, key, patience(request))
    if decided is None:
        return _undecided(exception_id)
    headers = {"Location": f"{PREFIX}/{quote(exception_id, safe='')}"}
    return JSONResponse(decided.record(), 201, headers)


async def ask_for(
    desk: Desk, asked: ExceptionRequest, who: Principal, key: str | None, patience: float
) -> tuple[str, ExceptionDecided | None]:
    """Request an exception; its id, and the decision within `patience` seconds. Raises Problem."""
    require_printable(asked)
    block = await desk.read(_block, desk, who, asked.request_id, asked.question, asked.findings)
    wanted = Wanted(
        risk=asked.risk_statement,
        controls=asked.compensating_controls,
        valid_until=asked.valid_until,
        single_use=asked.single_use,
    )
    requested = asked_from(block, wanted, id_under(key, who, block.scope.tenant, "exception"))
    decided = await _command(desk, requested, who, patience)
    if decided is not None and decided.event == "already_open":
        raise Problem(
            "already-open",
            f"an exception is open already and is {decided.to_state}; nothing was changed",
            exception_id=decided.exception_id,
            to_state=decided.to_state,
        )
    return requested.key, decided


@router.post(
    PREFIX + "/{exception_id}/commands",
    summary="Amend or withdraw an exception, or request more time",
    operation_id="changeException",
    responses={**documented(404, 409, 422), 200: {"description": "Done", **_DECIDED}, 202: _LATER},
    response_class=Response,
    openapi_extra=_body(ExceptionChange),
)
async def change_exception(
    request: Request,
    exception_id: str,
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.REQUESTER, rate=Rate.CHECK)],
    key: Key = None,
    prefer: Prefer = None,  # noqa: ARG001 - as above
) -> Response:
    """Only who asked for it may; the workflow decides that by the signature."""
    change = await read_json(request, ExceptionChange)
    decided = await ask_to_change(desk, exception_id, change, who, key, patience(request))
    return _undecided(exception_id) if decided is None else JSONResponse(decided.record())


async def ask_to_change(
    desk: Desk, exception_id: str, change: ExceptionChange, who: Principal, key: str | None, patience: float
) -> ExceptionDecided | None:
    """Amend, withdraw or extend; the decision within `patience` seconds. Raises Problem."""
    _printable(change.reason, change.risk or "", *(change.findings or ()), *(change.controls or ()))
    case = await own_case(desk, exception_id, who)
    id = id_under(key, who, case.scope.tenant, change.kind)
    return await _command(desk, await _changed(desk, case, change, who, id), who, patience)


@router.post(
    "/internal/version/compat/approve",
    summary="Submit a signed decision",
    operation_id="approve",
    responses={**documented(404, 409, 422), 200: {"description": "It counts", **_DECIDED}, 202: _LATER},
    response_class=Response,
    openapi_extra=_body(Approval),
)
async def approve(
    request: Request,
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.APPROVER, rate=Rate.APPROVE)],
    prefer: Prefer = None,  # noqa: ARG001 - as above
) -> Response:
    """Only the proof says who decided what; the token only gives access. Each proof counts once, by its `jti`: a
    repeated submission gets the first answer again.
    """
    handed = await read_json(request, Approval)
    decided = await hand_in(desk, handed, who, patience(request))
    if decided is None or decided.event == "parked":
        return _undecided(handed.exception_id)
    return JSONResponse(decided.record())


async def hand_in(desk: Desk, handed: Approval, who: Principal, patience: float) -> ExceptionDecided | None:
    """Submit a decision; its result within `patience` seconds. Raises Problem if it does not count."""
    await own_case(desk, handed.exception_id, who)
    id = id_under(_jti(handed), who, "", "approve")
    now, kind = time.time_ns() // 1_000_000, ProofKind(handed.proof_kind)
    decision = ApprovalDecision(id, handed.exception_id, now, kind, handed.proof, handed.decision)
    decided = await decide(desk, APPROVAL_DECIDED, decision, patience)
    if decided is None or decided.event == "parked":
        return decided
    if decided.reason_code:
        first = await desk.read(first_answer, desk.settings, desk.events, handed.exception_id, id, handed.proof)
        decided = first or decided
    refuse(decided, proof=True)
    return decided


@router.get(
    PREFIX,
    summary="Exceptions of your tenants, the most urgent first",
    operation_id="listExceptions",
    responses={**documented(), 200: _LIST},
)
async def list_exceptions(
    desk: AtDesk, who: Annotated[Principal, holding(Role.READER, rate=Rate.LEDGER)], everything: bool = False
) -> list[dict[str, Any]]:
    """`everything` also shows those that are over."""
    policy = read_policy(desk.settings)
    cases = await desk.read(all_cases, desk.settings, desk.events)
    own = [case for case in cases if case.scope.tenant in who.tenants]
    return [facts_of(case, policy) for case in by_urgency(own, policy, everything=everything)]


@router.get(
    PREFIX + "/{exception_id}",
    summary="An exception and its history",
    operation_id="showException",
    responses={**documented(404), 200: _VIEW},
)
async def show_exception(
    exception_id: str, desk: AtDesk, who: Annotated[Principal, holding(Role.READER, rate=Rate.READ)]
) -> dict[str, Any]:
    case = await own_case(desk, exception_id, who)
    past = await desk.read(history, desk.settings, desk.events, exception_id)
    return {**facts_of(case, read_policy(desk.settings)), "history": [decided.record() for decided in past]}


@router.get(
    PREFIX + "/{exception_id}/approvers",
    summary="Whose decision an exception waits for",
    operation_id="approvers",
    responses={**documented(404), 200: _VIEW},
)
async def approvers(
    exception_id: str, desk: AtDesk, who: Annotated[Principal, holding(Role.READER, rate=Rate.READ)]
) -> dict[str, Any]:
    """The step that waits, the roles that may decide it, how many must agree, and until when; the digest of the
    report that a decision is about, and the monitoring that a request under the exception must attach."""
    case, policy = await own_case(desk, exception_id, who), read_policy(desk.settings)
    return {**waiting_of(case, policy)._asdict(), "monitoring": monitoring_of(case, policy)}


SCHEMAS: Final = (ExceptionRequest, ExceptionChange, Approval)
"""Bodies of requests, for the contract."""


def _block(
    desk: Desk,
    who: Principal,
    request_id: str,
    question: str | None,
    named: Sequence[str] | None,
    otherwise: Sequence[str] = (),
) -> Block:
    """Runs in a thread. A request of another tenant is answered like a missing one."""
    results = results_of(desk.settings, desk.events, request_id)
    own = {asked: result for asked, result in results.items() if result.tenant in who.tenants}
    if not own:
        raise Problem("not-found", "there is no such request")
    named_one = question or (next(iter(own)).name if len(own) == 1 else None)
    try:
        return from_block(desk.settings, desk.events, request_id, named, otherwise, named_one)
    except QuestionUnclear:
        raise unclear(request_id, own) from None


async def _changed(
    desk: Desk, case: ExceptionCase, change: ExceptionChange, who: Principal, id: str
) -> ExceptionRequested:
    """The command for a change."""
    if change.kind != "amend":
        extends, now = change.kind == "extend", time.time_ns() // 1_000_000
        until = extended_until(case, change.longer, now) if change.valid_until is None else change.valid_until
        kind = CommandKind.EXTENSION_REQUESTED if extends else CommandKind.WITHDRAWN
        return command(case, kind, id, reason=change.reason, valid_until=until if extends else None)
    changed = Change(**change.model_dump(exclude={"kind", "longer"}))
    rests_on = change.request_id or case.request_id
    block = await desk.read(_block, desk, who, rests_on, change.question, change.findings, kept(case, changed))
    return amendment(case, block, changed, id)


async def own_case(desk: Desk, exception_id: str, who: Principal) -> ExceptionCase:
    if len(exception_id) > 200 or unprintable(exception_id):
        raise Problem("not-found", "there is no such exception")
    try:
        case = await desk.read(case_of, desk.settings, desk.events, exception_id)
    except NoSuchException:
        raise Problem("not-found", "there is no such exception") from None
    if case.scope.tenant not in who.tenants:
        raise Problem("not-found", "there is no such exception")
    return case


async def _command(
    desk: Desk, asked: ExceptionRequested, who: Principal, patience: float
) -> ExceptionDecided | None:
    """Sign a command for the caller, and return its result."""
    signed = replace(asked, command=desk.keys.signer.sign(asked.command, Person(who.issuer, who.subject)))
    decided = await decide(desk, EXCEPTION_COMMANDED, signed, patience)
    if decided is not None:
        refuse(decided, proof=False)
    return decided


def _undecided(exception_id: str) -> Response:
    headers = {"Location": f"{PREFIX}/{quote(exception_id, safe='')}", "Retry-After": retry_after()}
    return JSONResponse({"exception_id": exception_id, "status": "pending"}, 202, headers)


def _jti(handed: Approval) -> str:
    """The id of the decision, so that a repeated submission is the same decision. Raises Problem.

    An ID token says who logged in; the decision, whose hash is its nonce, is a separate document.
    """
    try:
        claims = read(handed.proof).claims
    except TokenRefused:
        raise Problem("unprocessable", "proof: expected a compact JWS") from None
    if handed.proof_kind == "ID_TOKEN_NONCE":
        claims = parsed((handed.decision or "").encode())
    jti: Any = cast("dict[str, Any]", claims).get("jti") if isinstance(claims, dict) else None
    if not isinstance(jti, str) or not 0 < len(jti) <= 255 or not jti.isprintable():
        raise Problem("unprocessable", "expected a `jti` of 1 to 255 printable characters in what is signed")
    return jti


def require_printable(asked: ExceptionRequest) -> None:
    """Raises Problem for invisible characters."""
    _printable(asked.risk_statement, *asked.compensating_controls, *asked.findings)


def _printable(*texts: str) -> None:
    if any(map(unprintable, texts)):
        raise Problem("unprocessable", "expected text, found control characters or half a character")
