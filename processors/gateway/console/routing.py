"""How a page is answered: rendered, or, where something is wrong, as a page that says what and what to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from processors.errors import Refused, Unavailable
from processors.gateway.console.advice import without_commands
from processors.gateway.console.forms import resendable
from processors.gateway.console.rendering import Page, rendered
from processors.gateway.console.visitors import SEES_ALL, LoginNeeded, console_of, frame_of
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form
from processors.gateway.live import TooManyStreams
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import KINDS, Problem

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]

BACK: Final = "console-back"
"""Purpose of the seal on the page that a login leads back to: nobody else can name one."""

LONGEST_BACK: Final = 2000

RETRY: Final = {"Retry-After": "5"}


class Back(NamedTuple):
    address: str
    words: str


class Resend(NamedTuple):
    """A form that went no further because of what passes, as it can be sent again."""

    address: str
    fields: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble(Page):
    """Something is wrong: what it is, in the words of the case, and what whoever meets it can do."""

    template = "trouble.html"
    detail: str
    advice: str
    back: Sequence[Back]
    """Where whoever meets it came from, the nearest first."""
    resend: Resend | None = None


class PageRoute(APIRoute):
    """A route for people: what an operation raises becomes a page, and whoever must log in first is sent there."""

    def get_route_handler(self) -> _Handler:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except LoginNeeded:
                return _to_login(request)
            except (Problem, Crowded, TooManyStreams, Refused, Unavailable, RequestValidationError) as error:
                problem = _as_problem(error)
                return trouble(request, problem, await _resend(request, problem))

        return handled


def show(request: Request, page: Page, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A page as whoever asks sees it."""
    desk: Desk = request.app.state.desk
    console = console_of(desk)
    return rendered(page, frame_of(request, desk), console and console[0], status, headers or {})


async def _resend(request: Request, problem: Problem) -> Resend | None:
    """Nobody types a page of text twice because a broker was away."""
    if request.method != "POST" or problem.kind.name not in _PASSING:
        return None
    try:
        fields = resendable(await read_form(request))
    except Problem:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return None if fields is None else Resend(request.url.path + query, fields)


def trouble(request: Request, problem: Problem, resend: Resend | None = None) -> Response:
    of_workflow = "reason_code" in problem.more  # all else may quote whoever sent it
    said = without_commands(problem.detail) if of_workflow else problem.detail
    roles = frame_of(request, request.app.state.desk).roles
    advice = _ADVICE if resend is None else _PASSING
    page = Trouble(
        title=problem.kind.title,
        detail=f"{said[:1].upper()}{said[1:]}",
        advice=advice.get(problem.kind.name, problem.kind.advice),
        back=ways_back(request, str(problem.more.get("exception_id", "")), sees_all=bool(roles & SEES_ALL)),
        resend=resend,
    )
    return show(request, page, problem.kind.status, problem.headers)


def ways_back(request: Request, exception_id: str, *, sees_all: bool) -> tuple[Back, ...]:
    """From a form to the page that it belongs to. Nothing else is known to be there.

    `sees_all` is whether the pages of all exceptions are the visitor's to see: whoever else may install under one
    goes back to the report.
    """
    kind, _, rest = request.url.path.strip("/").partition("/")
    id, _, form = rest.partition("/")
    back: list[Back] = []
    if kind == "requests" and form:
        back.append(Back(f"/requests/{quote(unquote(id), safe='')}", "To the report"))
    if exception_id or (kind == "exceptions" and form):
        back.append(Back(f"/exceptions/{quote(exception_id or unquote(id), safe='')}", "To the exception"))
    if kind == "check":
        back += [way for way in _from_check(request) if sees_all or not way.address.startswith("/exceptions/")]
    if kind == "ledger" and rest:
        back.append(Back("/ledger", "To the ledger"))
    return tuple(back)


def _from_check(request: Request) -> list[Back]:
    """The form about a request that was asked before stands behind its report, or behind an exception."""
    places = {"exception": ("exceptions", "To the exception"), "again": ("requests", "To the report")}
    return [
        Back(f"/{folder}/{quote(id, safe='')}", words)
        for name, (folder, words) in places.items()
        if (id := request.query_params.get(name, ""))
    ]


def to(address: str) -> Response:
    """After a form: the browser asks for the page, so that a reload repeats nothing."""
    return RedirectResponse(address, 303)


def _to_login(request: Request) -> Response:
    """Who asked for a page comes back to it. A form is not sent twice: the browser still has what was entered."""
    if request.method != "GET":
        return trouble(request, Problem("unauthenticated", "Your session has ended, and nothing was done."))
    desk: Desk = request.app.state.desk
    query = f"?{request.url.query}" if request.url.query else ""
    back = desk.keys.seal(BACK, request.url.path + query)
    return RedirectResponse(f"/login?back={back}" if len(back) <= LONGEST_BACK else "/login", 303)


def _as_problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case Crowded() | TooManyStreams():
            return Problem("crowded", "too many are waiting; come again in a few seconds", headers=RETRY)
        case Unavailable():
            return Problem("unavailable", str(error), headers=RETRY)
        case RequestValidationError():
            first = error.errors()[0]
            return Problem("malformed", f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}")
        case _:
            return Problem("unprocessable", str(error))


_ADVICE: Final = {
    "unauthenticated": "Log in again, in another tab; then go back with your browser, where what you entered still "
    "is, and send it again.",
    "forbidden": "Your account shows at the top right which roles were understood. Who gives roles is said in "
    "config/guard.yaml.",
    "not-found": "Is the address whole? What belongs to another tenant than yours is answered in the same way.",
    "unavailable": "Until there is an answer, treat the plugin as blocked. Load this page again in a few seconds.",
    "crowded": "Load this page again in a few seconds.",
    "too-many-requests": "Wait a few seconds, then load this page again.",
    "unprocessable": "Go back with your browser; what you entered is still there. Correct it and send it again.",
    "malformed": "Go back with your browser; what you entered is still there. Correct it and send it again.",
    "refused": "Nothing was changed. The exception's page shows how it stands now.",
    "approval-refused": "Nothing was changed. The refusal is in the ledger with its reason.",
    "too-large": "Nothing was asked. Go back with your browser and choose a smaller file. A manifest names a "
    "plugin and what it needs: a few kilobytes mostly.",
    "not-anchored": "Its proof ends in a signed anchor, which is published about once a minute. Load this page "
    "again then; the event itself is safe.",
    "internal": KINDS["internal"].title + ". Nothing was allowed.",
}

_PASSING: Final = {
    "unavailable": "What you entered is kept on this page. Send it again in a few seconds; if it has arrived after "
    "all, it does not count twice. Until there is an answer, treat the plugin as blocked.",
    "crowded": "What you entered is kept on this page. Send it again in a few seconds.",
    "too-many-requests": "What you entered is kept on this page. Wait a few seconds, then send it again.",
}
"""What to do where a form may be sent again as it is."""
