"""POST version/compat/check: may this plugin be installed? And GET for the answer, as long as it is stored."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, cast
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from starlette.responses import JSONResponse

from processors.client.install_request import InstallRequest, UnderException
from processors.client.installed import id_and_version, listed, printable
from processors.client.results import about, results_of
from processors.client.transport import QuestionUnclear
from processors.configuration.gateway import Role
from processors.documents.scalars import unprintable
from processors.errors import shorten
from processors.events.questions import Question
from processors.events.results import Result
from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Subject
from processors.gateway.api.callers import AtDesk, holding, tenant_of
from processors.gateway.asking import Asking, id_under, prepared
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.intake import (
    AT_ONCE,
    LARGEST_MANIFEST,
    media_type,
    parsed,
    patience,
    read_form,
    read_json,
    size_read,
    validated,
)
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem, documented
from processors.gateway.replies import result_key
from processors.gateway.representations import FORMS, chosen_form, responded
from processors.gateway.signing import SealBroken
from processors.manifests import read_manifest

PATH: Final = "/internal/version/compat/check"
LONGEST_ID: Final = 200
"""The most characters of a request id."""

MOST_TOGETHER: Final = 50

_PENDING: Final = "pending-check"

router = APIRouter(tags=["check"])
_asking = Asking()


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ManifestFile(_Body):
    """A manifest as the file it is: plugin.yaml, package.json, plugin.json, Chart.yaml, MANIFEST.MF."""

    name: str = Field(default="plugin.yaml", min_length=1, max_length=255, description="tells the formats apart")
    content: str = Field(
        min_length=1,
        description=f"the file's text, unchanged; with more than {LARGEST_MANIFEST} bytes in UTF-8 it is refused",
        json_schema_extra={"maxLength": LARGEST_MANIFEST},
    )

    @field_validator("content")
    @classmethod
    def _bounded(cls, content: str, info: ValidationInfo) -> str:
        """Raises Problem, which is none of pydantic's errors: it ends the request as it is."""
        if (size := len(content.encode("utf-8", "replace"))) > LARGEST_MANIFEST:
            name = shorten(info.data.get("name", "it"))
            said = f"manifest: `{name}` has {size} bytes, and over HTTP a manifest has at most {LARGEST_MANIFEST}"
            raise Problem("too-large", said, limit=LARGEST_MANIFEST, size=size)
        return content


class ExceptionUse(_Body):
    """An approved exception to run under, and what it demands."""

    id: str = Field(min_length=1, max_length=200)
    acknowledge_risk: str | None = Field(
        default=None, max_length=4000, description="the risk, in the caller's words"
    )
    monitoring: str | None = Field(
        default=None, max_length=200, description="monitoring profile that will be attached"
    )
    addons: tuple[Annotated[str, Field(max_length=200)], ...] = Field(default=(), max_length=50)


class CheckRequest(_Body):
    """May this plugin be installed, or upgraded to, on that host?"""

    manifest: ManifestFile
    together: tuple[ManifestFile, ...] = Field(
        default=(), max_length=MOST_TOGETHER, description="manifests of what is installed in the same step"
    )
    host: str = Field(description="NAME@VERSION, such as corex@1.9.0", max_length=512)
    installed: tuple[str | Mapping[str, Any], ...] = Field(
        default=(), max_length=5000, description="ID@VERSION, or an object with `id`, `version` and what is known"
    )
    runtimes: tuple[Annotated[str, Field(max_length=512)], ...] = Field(default=(), max_length=100)
    database: str | None = Field(default=None, max_length=512, description="NAME@VERSION")
    previous: str | None = Field(default=None, max_length=512, description="version that this one replaces")
    tenant: str | None = Field(default=None, max_length=200, description="the token's only one by default")
    environment: str = Field(default="production", min_length=1, max_length=200)
    target: str = Field(default="", max_length=200, description="installation it is meant for")
    exception: ExceptionUse | None = None


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
_FILE: Final[dict[str, Any]] = {
    "type": "string",
    "contentMediaType": "application/octet-stream",
    "maxLength": LARGEST_MANIFEST,
}
_FORM_TEXTS: Final = ("host", "database", "previous", "tenant", "environment", "target")
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/CheckRequest"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["manifest", "host"],
                "properties": {
                    "manifest": _FILE,
                    "together": {
                        "type": "array",
                        "maxItems": MOST_TOGETHER,
                        "items": _FILE,
                    },
                    "installed_from": {"type": "string", "contentMediaType": "application/json"},
                    "exception": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"$ref": "#/components/schemas/ExceptionUse"},
                    },
                    **{name: {"type": "array", "items": {"type": "string"}} for name in ("installed", "runtime")},
                    **{name: {"type": "string"} for name in _FORM_TEXTS},
                },
            }
        },
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
    openapi_extra={"requestBody": _BODY},
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
    question = await _question(request)
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
        {"Location": f"{PATH}/{request_id}?ticket={ticket}{named}", "Retry-After": retry_after()},
    )


def retry_after() -> str:
    """2 to 8 seconds: with a fixed value all of them would collide again."""
    return str(2 + secrets.randbelow(7))


async def _question(request: Request) -> CheckRequest:
    if media_type(request) != "multipart/form-data":
        return await read_json(request, CheckRequest)
    fields = await read_form(request)
    if size_read(request) <= AT_ONCE:
        return _of_form(fields)
    return await asyncio.to_thread(_of_form, fields)


def _of_form(fields: dict[str, Any]) -> CheckRequest:
    document: dict[str, Any] = {
        "manifest": _manifest("manifest", fields.pop("manifest", ())),
        "installed": [*fields.pop("installed", []), *_listed(fields.pop("installed_from", []))],
        "runtimes": fields.pop("runtime", []),
        "together": [_manifest("together", [file]) for file in fields.pop("together", [])],
    }
    if "exception" in fields:
        document["exception"] = parsed(_one_text("exception", fields.pop("exception")).encode())
    for field, values in fields.items():
        document[field] = _one_text(field[:80], values)
    return validated(document, CheckRequest)


def _listed(files: Sequence[Any]) -> Sequence[Any]:
    if not files:
        return []
    found: Any = parsed(_file("installed_from", files)[1])
    if not isinstance(found, list):
        raise Problem("unprocessable", "installed_from: expected a JSON list of plugins")
    return cast("list[Any]", found)


def _file(field: str, values: Sequence[Any]) -> tuple[str, bytes]:
    if len(values) != 1 or not isinstance(values[0], tuple):
        raise Problem("unprocessable", f"{field}: expected one file")
    return cast("tuple[str, bytes]", values[0])


def _manifest(field: str, values: Sequence[Any]) -> dict[str, str]:
    name, content = _file(field, values)
    return {"name": name or "plugin.yaml", "content": _text(field, content)}


def _one_text(field: str, values: Sequence[Any]) -> str:
    if len(values) != 1 or not isinstance(values[0], str):
        raise Problem("unprocessable", f"{field}: expected one text")
    return values[0]


def _text(field: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("unprocessable", f"{field}: expected UTF-8") from None


def subject_of(question: CheckRequest) -> Subject:
    """The question for the checker. Raises DocumentRefused or SettingsInvalid that names the place."""
    for name, text in {"environment": question.environment, "target": question.target}.items():
        printable(name, text)
    plain = [text for text in question.installed if isinstance(text, str)]
    described = [plugin for plugin in question.installed if not isinstance(plugin, str)]
    return Subject(
        manifest=_read(question.manifest),
        together=tuple(_read(manifest) for manifest in question.together),
        host=Host(*id_and_version("host", question.host, "NAME@VERSION, such as corex@1.9.0")),
        installed=(
            *(InstalledPlugin(*id_and_version("installed", text)) for text in plain),
            *listed(described),
        ),
        runtimes=tuple(
            Provision(*id_and_version("runtimes", text, "NAME@VERSION, such as go@1.22"))
            for text in question.runtimes
        ),
        database=None
        if question.database is None
        else Provision(*id_and_version("database", question.database, "NAME@VERSION, such as postgresql@16.4")),
        previous_version=None if question.previous is None else printable("previous", question.previous),
    )


def _read(manifest: ManifestFile) -> Manifest:
    return read_manifest(manifest.content.encode(), manifest.name)


def under_exception(use: ExceptionUse | None) -> UnderException | None:
    if use is None:
        return None
    for text in (use.id, use.acknowledge_risk or "", use.monitoring or "", *use.addons):
        if unprintable(text):
            raise Problem("unprocessable", "exception: expected text, found control characters")
    return UnderException(
        exception_id=use.id, statement=use.acknowledge_risk, profile=use.monitoring, addons=use.addons
    )


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
