"""The application: resources, problems and middleware. Other routers, such as pages, can be added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp

import processors
from processors.errors import Refused, Unavailable
from processors.gateway import problems
from processors.gateway.api import check, deliveries, events, exceptions, identity, ledger, matrix
from processors.gateway.contract import contract
from processors.gateway.desk import Desk
from processors.gateway.edges import Edges
from processors.gateway.live import TooManyStreams
from processors.gateway.mailbox import Crowded
from processors.gateway.measures import Measured
from processors.gateway.problems import Problem

RESOURCES: Final[Sequence[APIRouter]] = (
    check.router,
    exceptions.router,
    ledger.router,
    matrix.router,
    events.router,
    deliveries.router,
    identity.router,
)

_DESCRIPTION: Final = """\
Decides whether a plugin fits before it is installed. A verdict of BLOCK is an answer with status 200;
**a caller without a verdict must treat it as a block.** Every error is a problem detail (RFC 9457), whose
`type` leads to a page about it.
"""

_log = structlog.get_logger(__name__)


def create_app(desk: Desk, *more: APIRouter) -> ASGIApp:
    """The gateway for a desk. `more` are routers in addition to the resources, such as pages for people."""
    app = application(*more)
    app.state.desk = desk
    return Measured(Edges(app, desk.admission, tokenless=desk.settings.gateway.profile == "embedded"))


def application(*more: APIRouter) -> FastAPI:
    """The routes and their contract, without any services."""
    app = FastAPI(
        title="Compatibility guard",
        version=processors.__version__,
        description=_DESCRIPTION,
        openapi_url="/internal/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in (*RESOURCES, *more):
        app.include_router(router)
    for error, answer in _ANSWERS.items():
        app.add_exception_handler(error, answer)
    app.openapi = lambda: _contract(app)
    return app


def _contract(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = contract(app)
    return app.openapi_schema


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - the table below says so
    return error.response()


async def _crowded(_: Request, __: Exception) -> Response:
    headers = {"Retry-After": check.retry_after()}
    return Problem("crowded", "too many are waiting; come again", headers=headers).response()


async def _refused(_: Request, error: Exception) -> Response:
    return Problem("unprocessable", str(error)).response()


async def _unavailable(_: Request, error: Exception) -> Response:
    _log.error("a dependency does not answer", message=str(error))
    headers = {"Retry-After": check.retry_after()}
    return Problem("unavailable", "a dependency does not answer; treat it as a block", headers=headers).response()


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table below says so
    kind = problems.of_status(error.status_code)
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/internal"):
        return HTMLResponse(problems.page(kind.name), kind.status)  # a person who mistyped an address
    return Problem(kind.name, str(error.detail), headers=error.headers).response()


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the table below says so
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return Problem("malformed", f"{where}: {first['msg']}").response()


async def _internal(_: Request, error: Exception) -> Response:
    _log.error("a request failed", error=repr(error))
    return Problem("internal", "the gateway failed; nothing was allowed").response()


_ANSWERS: Final = {
    Problem: _problem,
    Crowded: _crowded,
    TooManyStreams: _crowded,
    Refused: _refused,
    Unavailable: _unavailable,
    HTTPException: _framework,
    RequestValidationError: _malformed,
    Exception: _internal,
}
