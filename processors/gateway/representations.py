"""One result in the forms that a caller may request. All of them are views of the same report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from processors.checker.views import html, junit, markdown, sarif
from processors.events.results import Result
from processors.gateway.problems import Problem


def _json(result: Result) -> str:
    return json.dumps(result.record, ensure_ascii=False)


def _markdown(result: Result) -> str:
    return markdown.render(result.seen, result.request_id) + "\n"


def _html(result: Result) -> str:
    return html.render(result.seen, result.report_digest, result.request_id) + "\n"


def _sarif(result: Result) -> str:
    return sarif.render(result.seen, result.report_digest) + "\n"


def _junit(result: Result) -> str:
    return junit.render(result.seen, result.report_digest) + "\n"


_JSON: Final = "application/json"
FORMS: Final[Mapping[str, Callable[[Result], str]]] = {
    _JSON: _json,
    "text/markdown": _markdown,
    "text/html": _html,
    "application/sarif+json": _sarif,
    "application/junit+xml": _junit,
}
"""By media type, in the default order of preference."""


def chosen_form(request: Request) -> str:
    """The form that `Accept` requests (RFC 9110, section 12.5.1). Raises Problem if it excludes all of them."""
    accept = ",".join(request.headers.getlist("accept"))
    if (form := negotiated(accept, tuple(FORMS))) is None:
        raise Problem("not-acceptable", f"a report comes as {', '.join(FORMS)}")
    return form


def negotiated(accept: str, offered: Sequence[str]) -> str | None:
    """The preferred offer; None if none is acceptable. Unreadable parts of `accept` are ignored."""
    wanted = [range_ for part in accept.split(",") if (range_ := _range(part)) is not None]
    if not accept.strip():
        return offered[0]
    qualities = {offer: _quality(offer, wanted) for offer in offered}
    best = max(offered, key=lambda offer: qualities[offer])
    return best if qualities[best] > 0 else None


async def responded(result: Result, form: str, request: Request) -> Response:
    """As `response`. Forms for people are rendered in a thread: they take longer."""
    if form == _JSON:
        return response(result, form, request)
    return await asyncio.to_thread(response, result, form, request)


def response(result: Result, form: str, request: Request) -> Response:
    """200 with the result, or 304 if the caller has this very report already."""
    tag = f'"{quote(result.report_digest, safe=":")}"'  # whoever may write results can name any digest
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    given = [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and (tag in given or "*" in given):
        return Response(status_code=304, headers=headers)
    return Response(FORMS[form](result), 200, headers, form)


def _range(part: str) -> tuple[str, float] | None:
    media, *parameters = (piece.strip() for piece in part.split(";"))
    quality = next((text[2:] for text in parameters if text.lower().startswith("q=")), "1")
    try:
        weight = float(quality)
    except ValueError:
        return None
    return (media.lower(), weight) if media and 0 <= weight <= 1 else None


def _quality(offer: str, wanted: Sequence[tuple[str, float]]) -> float:
    """The most specific matching range decides."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        for media, quality in wanted:
            if media == pattern:
                return quality
    return 0.0
