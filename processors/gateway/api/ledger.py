"""The ledger over HTTP: what happened, the story of a case, and the proof of an event."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from processors.bootstrap.ledger_access import database, names_of, public_keys, published_anchors
from processors.configuration.gateway import Role
from processors.errors import DatabaseUnavailable, NamesUnreadable, NotAnchored, QueryTooLong, SettingsInvalid
from processors.events.vocabulary import Band, Code, Verdict
from processors.gateway.api.callers import AtDesk, holding, tenant_of
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem, documented
from processors.gateway.signing import SealBroken
from processors.ledger import queries
from processors.ledger.database import reading
from processors.ledger.queries import RecordPosition, Wanted, place_of
from processors.ledger.reading import prove_event
from processors.ledger.sealed import Sealed, sealed
from processors.ledger.summary import summary
from processors.ledger.telling import tell
from processors.stream.wire.headers import rfc3339

MOST: Final = 100
"""Rows of a page."""

WITHIN: Final = 3.0
"""Seconds that a query may take: some words can be looked for only row by row."""

_CURSOR: Final = "ledger-cursor"

_NARROWER: Final = "search for a plugin, a request or an exception as well, or in fewer days (`since` and `until`)"

router = APIRouter(tags=["ledger"])
T = TypeVar("T")
Word = Annotated[str | None, Query(max_length=512)]
Auditor = Annotated[Principal, holding(Role.AUDITOR, rate=Rate.LEDGER)]


@router.get(
    "/internal/ledger/events",
    summary="Find events, the newest first",
    operation_id="ledgerEvents",
    responses=documented(422),
)
async def ledger_events(
    desk: AtDesk,
    who: Auditor,
    tenant: Word = None,
    plugin_id: Word = None,
    host_version: Word = None,
    approver: Word = None,
    operator: Word = None,
    approval_id: Word = None,
    exception_id: Word = None,
    request_id: Word = None,
    finding: Code | None = None,
    band: Band | None = None,
    plugin_version: Word = None,
    environment: Word = None,
    verdict: Verdict | None = None,
    state: Annotated[
        str | None,
        Query(
            max_length=512,
            description="where an exception stood afterwards or how an installation ended: APPROVED, SUCCEEDED",
        ),
    ] = None,
    since: Annotated[int | None, Query(ge=0, le=2**53, description="milliseconds since the epoch")] = None,
    until: Annotated[int | None, Query(ge=0, le=2**53, description="milliseconds, exclusive")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> dict[str, Any]:
    """Of one tenant. People have the names that the ledger gives them; without the ledger's keys a gateway finds
    them by those only. `next` turns the page; it is signed."""
    own = tenant_of(who, tenant)
    after = None if cursor is None else _place(desk.keys.unseal, cursor, own)
    wanted: dict[str, Any] = {
        "tenant": own,
        "plugin_id": plugin_id,
        "host_version": host_version,
        "approval_id": approval_id,
        "exception_id": exception_id,
        "request_id": request_id,
        "finding": finding,
        "band": band,
        "plugin_version": plugin_version,
        "environment": environment,
        "verdict": verdict,
        "state": state,
        "since": since,
        "until": until,
        "machinery": False,
    }

    def search() -> list[dict[str, Any]]:
        who_acted: dict[str, Any] = {"approver": names_of(approver), "operator": names_of(operator)}
        looked_for = Wanted(**wanted, **who_acted)
        return _reading(lambda connection: queries.search(connection, looked_for, limit=limit, after=after))

    try:
        rows = await desk.auditing.run(who.key, search)
    except NamesUnreadable as error:
        raise Problem("pseudonym-needed", str(error)) from None
    except QueryTooLong:
        raise Problem("too-broad", f"nothing was found within {WITHIN:g} s: {_NARROWER}") from None
    turned = desk.keys.seal(_CURSOR, [own, *place_of(rows[-1])]) if len(rows) == limit else None
    return {"events": [_shown(row) for row in rows], "next": turned}


@router.get(
    "/internal/ledger/cases/{case}",
    summary="The whole story of a request or an exception",
    operation_id="ledgerCase",
    responses=documented(404),
)
async def ledger_case(case: str, desk: AtDesk, who: Auditor) -> dict[str, Any]:
    """In order, each event with a sentence, and what came of it in a line. `case` is the id of a request, an
    exception or an event."""

    def told() -> list[dict[str, Any]]:
        return _reading(lambda connection: queries.story(connection, _id(case)))

    every = [row for row in await desk.auditing.run(who.key, told) if row["kind"] not in queries.MACHINERY]
    exceptions = {row["exception_id"] for row in every if row["tenant"] in who.tenants} - {None, ""}
    rows = [row for row in every if row["tenant"] in who.tenants or _decides(row, exceptions)]
    if not rows:
        raise Problem("not-found", "nothing in the ledger bears that id")
    return {"events": [{**_shown(row), "story": tell(row)} for row in rows], "summary": summary(rows)}


@router.get(
    "/internal/ledger/proof/{event_id}",
    summary="The proof that an event is in the ledger",
    operation_id="ledgerProof",
    responses=documented(404, 409),
)
async def ledger_proof(event_id: str, desk: AtDesk, who: Auditor) -> dict[str, Any]:
    """For somebody who has only the proof and the public keys of the ledger: `compat-guard ledger verify-proof`.

    409 for an event that no anchor covers yet; `Retry-After` and `next_anchor` say when the next one comes.
    """

    def prove() -> dict[str, Any] | None:
        def proved(connection: Connection) -> dict[str, Any] | None:
            rows = queries.search(connection, Wanted(event_id=_id(event_id)), limit=1)
            if not rows or rows[0]["tenant"] not in who.tenants:
                return None
            every = desk.settings.ledger.anchor_every
            return prove_event(connection, event_id, published_anchors(), public_keys(None), every)

        return _reading(proved)

    try:
        proof = await desk.auditing.run(who.key, prove)
    except NotAnchored as error:
        raise _not_anchored(error) from None
    if proof is None:
        raise Problem("not-found", "nothing in the ledger bears that id")
    return proof


async def summaries(desk: Desk, exceptions: Collection[str], who: Principal) -> dict[str, str]:
    """What came of these exceptions, in a line each, as far as the caller's tenants may know."""

    def told() -> list[dict[str, Any]]:
        return _reading(lambda connection: queries.of_exceptions(connection, exceptions, who.tenants))

    rows = await desk.auditing.run(who.key, told)
    by_id = {exception: [row for row in rows if row["exception_id"] == exception] for exception in exceptions}
    return {exception: summary(of) for exception, of in by_id.items()}


async def standing(desk: Desk, who: Principal) -> Sealed:
    """How far the ledger is sealed by anchors. Raises DatabaseUnavailable, Crowded."""

    def told() -> Sealed:
        return _reading(sealed)

    return await desk.auditing.run(who.key, told)


def _not_anchored(error: NotAnchored) -> Problem:
    seconds = max(1, math.ceil(error.due / 1000 - time.time()))
    return Problem(
        "not-anchored",
        str(error),
        headers={"Retry-After": str(seconds)},
        next_anchor=rfc3339(error.due),
    )


def _decides(row: Mapping[str, Any], exceptions: Collection[str]) -> bool:
    """Whether it is a decision about one of these exceptions: what approvers sign names no tenant."""
    return not row["tenant"] and row["exception_id"] in exceptions


def _reading(ask: Callable[[Connection], T]) -> T:
    """In a thread. Raises QueryTooLong and DatabaseUnavailable, also for a ledger that is not set up: no caller can
    help that."""
    try:
        with database("guard_auditor") as engine, reading(engine, WITHIN) as connection:
            return ask(connection)
    except SettingsInvalid as error:
        raise DatabaseUnavailable(str(error)) from None


def _place(unseal: Callable[[str, str], Any], cursor: str, tenant: str) -> RecordPosition:
    """Where the page before ended. Raises Problem for a cursor that is not ours, or another tenant's."""
    try:
        own, *place = unseal(_CURSOR, cursor)
    except SealBroken:
        raise Problem("malformed", "cursor: it is not one of ours") from None
    if own != tenant:
        raise Problem("malformed", "cursor: it belongs to another tenant")
    return RecordPosition(*place)


def _id(text: str) -> str:
    if len(text) > 512 or not text.isprintable():
        raise Problem("not-found", "nothing in the ledger bears that id")
    return text


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("payload", "row_hash", "value_digest")
    return {
        "time": rfc3339(row["appended_at"]),
        **{name: value for name, value in row.items() if name not in left_out},
        "payload": json.loads(row["payload"]),
        "value_digest": f"sha256:{bytes(row['value_digest']).hex()}",
        "row_hash": f"sha256:{bytes(row['row_hash']).hex()}",
    }
