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
from processors.errors import Unavailable
from processors.events.exceptions import Status
from processors.events.outcomes import InstallOutcome
from processors.events.vocabulary import Band, Code, Verdict
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.ledger import ledger_case, ledger_events, ledger_proof, standing, summaries
from processors.gateway.attachments import attachment
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show
from processors.gateway.console.visitors import Visitor, now_ms, visiting
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem
from processors.ledger.anchors import is_overdue
from processors.ledger.happening import happening
from processors.ledger.sealed import Sealed
from processors.ledger.telling import tell
from processors.ledger.whole import MOST

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Auditor = Annotated[Visitor, visiting(Role.AUDITOR, rate=Rate.LEDGER)]
Word = Annotated[str, Query(max_length=512)]


class Field(NamedTuple):
    """A text to search by. `example` shows how it is written: each is compared as a whole."""

    name: str
    label: str
    example: str = ""


FIELDS: Final = (
    Field("plugin_id", "Plugin", "its whole id"),
    Field("plugin_version", "Version"),
    Field("host_version", "Host version"),
    Field("environment", "Environment"),
    Field("operator", "Who asked", "name or pseudonym"),
    Field("approver", "Who approved", "name or pseudonym"),
    Field("request_id", "Request"),
    Field("exception_id", "Exception"),
    Field("approval_id", "Approval"),
)

OUTCOMES: Final[Mapping[str, Sequence[str]]] = {
    "The guard answered": [verdict for verdict in Verdict if verdict is not Verdict.UNKNOWN],
    "The installation": [outcome for outcome in InstallOutcome if outcome is not InstallOutcome.UNKNOWN],
    "The exception is": [status for status in Status if status is not Status.UNKNOWN],
}
"""What can be looked for as the outcome of an event, by what it is the outcome of."""


class Told(NamedTuple):
    """An event of the ledger in words. `case` is the id under which its story is found, `summary` what came of that
    case, where nothing above says it."""

    at: int
    kind: str
    story: str
    outcome: str
    reason: str
    event_id: str
    case: str
    row_hash: str
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Page):
    """The form, filled in, and a page of what it found. Before anything was looked for, `events` is None, and
    `sealed` says how far the ledger is sealed, if its database says so."""

    template = "ledger.html"
    fields: Sequence[Field]
    given: Mapping[str, str]
    tenants: Sequence[str]
    codes: Sequence[str]
    bands: Sequence[str]
    outcomes: Mapping[str, Sequence[str]]
    events: Sequence[Told] | None
    following: str
    sealed: Sealed | None
    overdue: bool
    """Whether rows have waited for an anchor for so long that nobody seems to sign any."""
    most: int
    """Rows that are verified from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Page):
    """The whole story of a request or an exception, in order, and what came of it in a line."""

    template = "case.html"
    id: str
    summary: str
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
    plugin_version: Word = "",
    environment: Word = "",
    outcome: Word = "",
    since: Word = "",
    until: Word = "",
    cursor: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Every question has an address of its own, which can be kept and handed on."""
    given = {name: value for name, value in request.query_params.items() if value and name != "cursor"}
    words = {"plugin_id": plugin_id, "host_version": host_version, "operator": operator, "approver": approver}
    words |= {"request_id": request_id, "exception_id": exception_id, "approval_id": approval_id}
    words |= {"plugin_version": plugin_version, "environment": environment}
    found: dict[str, Any] | None = None
    came_of: Mapping[str, str] = {}
    sealed, overdue = None, False
    if request.query_params:
        verdict, state = _outcome(outcome)
        found = await ledger_events(
            desk,
            visitor.who,
            tenant=tenant or None,
            finding=_symbol(Code, "finding", finding),
            band=_symbol(Band, "band", band),
            verdict=verdict,
            state=state,
            since=_day("since", since),
            until=_day("until", until),
            limit=50,
            cursor=cursor or None,
            **{name: value.strip() or None for name, value in words.items()},
        )
        exceptions = {event["exception_id"] for event in found["events"]} - {None, ""}
        came_of = await summaries(desk, exceptions, visitor.who) if exceptions else {}
    else:
        sealed, overdue = await _sealed(desk, visitor)
    page = Search(
        title="Ledger",
        fields=FIELDS,
        given=given,
        tenants=sorted(visitor.who.tenants),
        codes=[code for code in Code if code is not Code.UNKNOWN],
        bands=[b for b in Band if b is not Band.UNKNOWN],
        outcomes=OUTCOMES,
        events=None if found is None else _summed_up([_told(event) for event in found["events"]], came_of),
        following=_following(given, found),
        sealed=sealed,
        overdue=overdue,
        most=MOST,
    )
    return show(request, page)


async def _sealed(desk: Desk, visitor: Visitor) -> tuple[Sealed | None, bool]:
    """How far the ledger is sealed, and whether an anchor is overdue. While the database is away, nobody knows, and
    a search can be prepared all the same."""
    try:
        found = await standing(desk, visitor.who)
    except (Unavailable, Crowded):
        return None, False
    since, every = found.waiting_since, desk.settings.ledger.anchor_every
    return found, since is not None and is_overdue(since, every, now_ms())


@router.get("/ledger/cases/{case}")
async def case(request: Request, case: str, desk: AtDesk, visitor: Auditor) -> Response:
    found = await ledger_case(case, desk, visitor.who)
    events: list[Mapping[str, Any]] = found["events"]
    about = dict.fromkeys(event["exception_id"] for event in events if event["exception_id"])
    page = Case(
        title="The story of a case",
        id=case,
        summary=found["summary"],
        exceptions=list(about),
        events=[_told(event) for event in events],
    )
    return show(request, page)


@router.get("/ledger/cases/{case}/story.json")
async def exported(case: str, desk: AtDesk, visitor: Auditor) -> Response:
    return _file(await ledger_case(case, desk, visitor.who), f"case-{case}")


@router.get("/ledger/proof/{event_id}")
async def proof(event_id: str, desk: AtDesk, visitor: Auditor) -> Response:
    return _file(await ledger_proof(event_id, desk, visitor.who), f"proof-{event_id}")


def _told(event: Mapping[str, Any]) -> Told:
    row = {**event, "payload": json.dumps(event["payload"])}
    outcome = happening(row).outcome
    return Told(
        at=event["appended_at"],
        kind=event["kind"],
        story=tell(row),
        outcome="" if outcome == "UNKNOWN" else outcome,
        reason=event["reason"] or "",
        event_id=event["event_id"] or "",
        case=event["exception_id"] or event["request_id"] or event["event_id"] or "",
        row_hash=event["row_hash"],
    )


def _summed_up(events: Sequence[Told], came_of: Mapping[str, str]) -> list[Told]:
    """Each case's summary at its first event on the page."""
    left = dict(came_of)
    return [event._replace(summary=left.pop(event.case, "")) for event in events]


def _outcome(text: str) -> tuple[Verdict | None, str | None]:
    """An outcome is a verdict, or the state that something was in afterwards."""
    if not text:
        return None, None
    if text in Verdict.__members__ and text != Verdict.UNKNOWN:
        return Verdict(text), None
    if text in {state for states in OUTCOMES.values() for state in states}:
        return None, text
    raise Problem("malformed", "outcome: there is no such one")


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
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return Response(text, media_type="application/json", headers=attachment(name, "json"))
