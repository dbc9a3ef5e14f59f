"""The ledger for an auditor: search, the story of a case, and the proof of an event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from processors.configuration.gateway import Role
from processors.events.vocabulary import Band, Code
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.ledger import ledger_case, ledger_events, ledger_proof
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import Visitor, visiting
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem
from processors.ledger.telling import tell

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Auditor = Annotated[Visitor, visiting(Role.AUDITOR, rate=Rate.LEDGER)]
Word = Annotated[str, Query(max_length=512)]

FIELDS: Final = (
    ("plugin_id", "Plugin"),
    ("host_version", "Host version"),
    ("operator", "Who asked"),
    ("approver", "Who approved"),
    ("request_id", "Request"),
    ("exception_id", "Exception"),
    ("approval_id", "Approval"),
)


class Told(NamedTuple):
    """An event of the ledger in words. `case` is the id under which its story is found."""

    at: int
    kind: str
    story: str
    outcome: str
    reason: str
    event_id: str
    case: str
    row_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Page):
    """The form, filled in, and a page of what it found; None before anything was looked for."""

    template = "ledger.html"
    fields: Sequence[tuple[str, str]]
    given: Mapping[str, str]
    tenants: Sequence[str]
    codes: Sequence[str]
    bands: Sequence[str]
    events: Sequence[Told] | None
    following: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Page):
    """The whole story of a request or an exception, in order."""

    template = "case.html"
    id: str
    exceptions: Sequence[str]
    """Exceptions that its events are about: their pages say how they stand, and name people."""
    events: Sequence[Told]


@router.get("/ledger")
async def search(
    request: Request,
    desk: AtDesk,
    visitor: Auditor,
    tenant: Word = "",
    plugin_id: Word = "",
    host_version: Word = "",
    operator: Word = "",
    approver: Word = "",
    request_id: Word = "",
    exception_id: Word = "",
    approval_id: Word = "",
    finding: Word = "",
    band: Word = "",
    since: Word = "",
    until: Word = "",
    cursor: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Every question has an address of its own, which can be kept and handed on."""
    given = {name: value for name, value in request.query_params.items() if value and name != "cursor"}
    words = {"plugin_id": plugin_id, "host_version": host_version, "operator": operator, "approver": approver}
    words |= {"request_id": request_id, "exception_id": exception_id, "approval_id": approval_id}
    found: dict[str, Any] | None = None
    if request.query_params:
        found = await ledger_events(
            desk,
            visitor.who,
            tenant=tenant or None,
            finding=_symbol(Code, "finding", finding),
            band=_symbol(Band, "band", band),
            since=_day("since", since),
            until=_day("until", until),
            limit=50,
            cursor=cursor or None,
            **{name: value.strip() or None for name, value in words.items()},
        )
    page = Search(
        title="Ledger",
        fields=FIELDS,
        given=given,
        tenants=sorted(visitor.who.tenants),
        codes=[code for code in Code if code is not Code.UNKNOWN],
        bands=[b for b in Band if b is not Band.UNKNOWN],
        events=None if found is None else [_told(event) for event in found["events"]],
        following=_following(given, found),
    )
    return show(request, page)


@router.get("/ledger/cases/{case}")
async def case(request: Request, case: str, desk: AtDesk, visitor: Auditor) -> Response:
    found = await ledger_case(case, desk, visitor.who)
    events: list[Mapping[str, Any]] = found["events"]
    about = dict.fromkeys(event["exception_id"] for event in events if event["exception_id"])
    page = Case(title="The story of a case", id=case, exceptions=list(about), events=[_told(e) for e in events])
    return show(request, page)


@router.get("/ledger/cases/{case}/story.json")
async def exported(case: str, desk: AtDesk, visitor: Auditor) -> Response:
    return _file(await ledger_case(case, desk, visitor.who), f"case-{case}")


@router.get("/ledger/proof/{event_id}")
async def proof(event_id: str, desk: AtDesk, visitor: Auditor) -> Response:
    return _file(await ledger_proof(event_id, desk, visitor.who), f"proof-{event_id}")


def _told(event: Mapping[str, Any]) -> Told:
    row = {**event, "payload": json.dumps(event["payload"])}
    return Told(
        at=event["appended_at"],
        kind=event["kind"],
        story=tell(row),
        outcome=event["verdict"] or event["state"] or "",
        reason=event["reason"] or "",
        event_id=event["event_id"] or "",
        case=event["exception_id"] or event["request_id"] or event["event_id"] or "",
        row_hash=event["row_hash"],
    )


def _following(given: Mapping[str, str], found: Mapping[str, Any] | None) -> str:
    turned = None if found is None else found["next"]
    return f"/ledger?{urlencode({**given, 'cursor': turned})}" if turned else ""


def _symbol(symbols: Any, name: str, text: str) -> Any:
    try:
        return symbols(text) if text else None
    except ValueError:
        raise Problem("malformed", f"{name}: there is no such one") from None


def _day(name: str, text: str) -> int | None:
    """Milliseconds of the beginning of a day, or of an instant; UTC where nothing else is said."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return max(0, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise Problem("malformed", f"{name}: expected a day such as 2026-11-28") from None


def _file(content: Any, name: str) -> Response:
    safe = "".join(c for c in name if c.isascii() and (c.isalnum() or c == "-"))[:80]
    headers = {"Content-Disposition": f'attachment; filename="{safe}.json"'}
    return Response(
        json.dumps(content, ensure_ascii=False, indent=2), media_type="application/json", headers=headers
    )
