"""POST version/compat/check: may this plugin be installed? And GET for the answer, as long as it is stored."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import JSONResponse

from processors.client.install_request import InstallRequest
from processors.client.results import about, results_of
from processors.client.transport import QuestionUnclear
from processors.configuration.gateway import Role
from processors.documents.scalars import unprintable
from processors.events.questions import Question
from processors.events.results import Result
from processors.gateway.api.callers import AtDesk, holding, tenant_of
from processors.gateway.api.check_question import (
    REQUEST_BODY,
    CheckRequest,
    question_of,
    subject_of,
    under_exception,
)
from processors.gateway.asking import Asking, id_under, prepared
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.intake import patience, size_read
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem, documented
from processors.gateway.replies import result_key
from processors.gateway.representations import FORMS, chosen_form, responded
from processors.gateway.signing import SealBroken

PATH: Final = "/internal/version/compat/check"
LONGEST_ID: Final = 200
"""The most characters of a request id."""

_PENDING: Final = "pending-check"

router = APIRouter(tags=["check"])
_asking = Asking()


_RESULT: Final = {"$ref": "#/components/schemas/CompatibilityChecked"}
_FOUND: Final[dict[str, Any]] = {
    "description": "The verdict, whatever it is: BLOCK is an answer too",
    "headers": {"ETag": {"description": "Digest of the report", "schema": {"type": "string"}}},
    "content": {form: {"schema": _RESULT if form == "application/json" else {"type": "string"}} for form in FORMS},
}
_WAITING: Final[dict[str, Any]] = {
    "description": "No verdict yet, which counts as a block; ask again at `Location`",
    "headers": {
        "Location": {"description": "Where the verdict will be", "schema": {"type": "string"}},
        "Retry-After": {"description": "Seconds", "schema": {"type": "integer"}},
    },
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["request_id", "status"],
                "properties": {
                    "request_id": {"type": "string"},
                    "status": {"const": "pending"},
                },
            }
        }
    },
}
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="Makes a retry the same request")]
Prefer = Annotated[str | None, Header(description="`wait=n`: seconds to wait for the verdict, at most 30")]


@router.post(
    PATH,
    summary="Ask whether a plugin may be installed",
    operation_id="check",
    responses={**documented(422), 200: _FOUND, 202: _WAITING},
    response_class=Response,
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def check(
    request: Request,
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.REQUESTER, rate=Rate.CHECK)],
    key: Key = None,
    prefer: Prefer = None,  # noqa: ARG001 - for the contract; it is read with every other Prefer
) -> Response:
    """The manifest goes in as the file it is, in a form beside `host` and the like, or inside JSON.

    No verdict counts as a block. With the same `Idempotency-Key` a retry gets the same answer.
    """
    form = chosen_form(request)
    question = await question_of(request)
    tenant = tenant_of(who, question.tenant)
    request_id = id_under(key, who, tenant, "check")

    def asked() -> InstallRequest:
        return InstallRequest(
            request_id=request_id,
            tenant=tenant,
            operator=who.subject,
            environment=question.environment,
            target=question.target,
            subject=subject_of(question),
            exception=under_exception(question.exception),
        )

    ready = await prepared(desk, who, size_read(request), asked)
    result = await _asking.ask(desk, ready, patience(request))
    if result is None:
        return pending(desk, request_id, tenant, ready.question.name)
    return await responded(result, form, request)


@router.get(
    PATH + "/{request_id}",
    summary="The verdict of a request, and its report",
    operation_id="report",
    responses={
        **documented(404, 409),
        200: _FOUND,
        202: _WAITING,
        304: {"description": "The caller has this report already"},
    },
    response_class=Response,
)
async def report(
    request: Request,
    request_id: str,
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.REQUESTER, Role.READER, Role.AUDITOR, rate=Rate.READ)],
    ticket: Annotated[str | None, Query(max_length=2000)] = None,
    question: Annotated[
        str | None, Query(max_length=64, description="which one, if the id was used for several")
    ] = None,
    prefer: Prefer = None,  # noqa: ARG001 - as above
) -> Response:
    """The newest answer. A `Location` of a pending request waits for it; any other address answers at once."""
    form = chosen_form(request)
    tenant = _asked_by(desk, request_id, ticket)
    result = await known_result(desk, request_id, who, question)
    if result is None and tenant in who.tenants:
        with desk.mailbox.waiter() as waiter:
            waiter.on(result_key(request_id))
            found = await waiter.first(patience(request))
        if found is None:
            return pending(desk, request_id, tenant, question)
        await desk.admission.take()
        result = await desk.result(found[1])
        if question not in (None, result.question.name):  # somebody else used the id, and was answered first
            return pending(desk, request_id, tenant, question)
    if result is None:
        raise Problem("not-found", "there is no such request")
    return await responded(result, form, request)


def pending(desk: Desk, request_id: str, tenant: str, question: str | None) -> Response:
    """202: the question was asked, and is not answered yet. Callers retry at different times.

    The address names the question, because others may ask under the same id.
    """
    ticket = desk.keys.seal(_PENDING, [request_id, tenant])
    named = "" if question is None else f"&question={quote(question, safe='')}"
    return JSONResponse(
        {"request_id": request_id, "status": "pending"},
        202,
        {"Location": f"{PATH}/{quote(request_id, safe='')}?ticket={ticket}{named}", "Retry-After": retry_after()},
    )


def retry_after() -> str:
    """2 to 8 seconds: with a fixed value all of them would collide again."""
    return str(2 + secrets.randbelow(7))


def _asked_by(desk: Desk, request_id: str, ticket: str | None) -> str | None:
    """The tenant that asked, if the ticket of a pending request contains it."""
    if ticket is None:
        return None
    try:
        asked, tenant = desk.keys.unseal(_PENDING, ticket)
    except SealBroken:
        return None
    return tenant if asked == request_id else None


async def known_result(desk: Desk, request_id: str, who: Principal, question: str | None = None) -> Result | None:
    """The recent result if this replica has it, else from the one partition of the topic that would contain it.

    Only results of the caller's tenants count: others may have used the same id. Raises Problem if those tenants
    have several questions under it.
    """
    if len(request_id) > LONGEST_ID or unprintable(request_id):
        return None
    key = result_key(request_id)
    recent = desk.mailbox.get(key)
    if recent is not None and not (question is None and desk.mailbox.is_disputed(key)):
        result = await desk.result(recent)
        if result.tenant in who.tenants and question in (None, result.question.name):
            return result
    kept = await desk.read(results_of, desk.settings, desk.events, request_id)
    own = {
        asked: result
        for asked, result in kept.items()
        if result.tenant in who.tenants and question in (None, asked.name)
    }
    if len(own) > 1:
        raise unclear(request_id, own)
    return next(iter(own.values()), None)


def unclear(request_id: str, found: Mapping[Question, Result]) -> Problem:
    """For an id under which the caller's tenants asked several questions."""
    listed = QuestionUnclear(request_id, ((asked, about(result)) for asked, result in found.items()))
    return Problem("question-unclear", str(listed))


SCHEMAS: Final = (CheckRequest,)
"""Bodies of requests, for the contract."""
