"""Describes an event of the ledger in one sentence, for the story of a case. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from processors.ledger.numbering import is_late

Event = Mapping[str, Any]


def tell(row: Event) -> str:
    """What happened, in a sentence without time and place. `row` is as `queries` gives it."""
    return f"{_tell(row)} (filed late)" if is_late(row["partition"]) else _tell(row)


def _tell(row: Event) -> str:
    if row["status"] == "id_conflict":
        return (
            f"came another {row['kind']} under the id {row['event_id']} that says something else; "
            "under that id the ledger files the first"
        )
    if row["status"] == "unreadable":
        return f"came a record that could not be read ({row['reason']})"
    return _SENTENCES.get(row["kind"], _other)(row, json.loads(row["payload"]))


def _requested(row: Event, payload: Event) -> str:
    under = f", under exception {row['exception_id']}" if row["exception_id"] else ""
    who = "the guard asked again" if row["state"] else f"{payload['operator']} asked"
    what = f"{payload['action'].lower()} {_what(row)}"
    return f"{who} to {what} in {row['tenant'] or 'no tenant'}{under}"


def _answered(row: Event, payload: Event) -> str:
    why = f": {', '.join(row['finding_codes'])}" if row["finding_codes"] else ""
    by = f" under approval {row['approval_id']}" if row["approval_id"] else ""
    return f"the guard answered {row['verdict']}{by} (risk {row['band']}){why}. {payload['report']['summary']}"


def _blocked(row: Event, _payload: Event) -> str:
    return f"{_what(row)} was blocked: {', '.join(row['finding_codes'])}"


def _used(row: Event, _payload: Event) -> str:
    return f"the use of exception {row['exception_id']} for request {row['request_id']} was put to the workflow"


def _asked(row: Event, payload: Event) -> str:
    said = payload["risk_statement"] or payload["reason"]
    return f"{payload['requester']}: {row['state']}, {payload['category'].lower()}" + (f": {said}" if said else "")


def _approved(row: Event, payload: Event) -> str:
    claims: Event = payload.get("claims", {})
    who = claims.get("sub") or "somebody"
    return f"{who} sent a decision ({row['state'] or 'sealed'}), proved by {payload['proof']}"


def _decided(row: Event, payload: Event) -> str:
    why = ": ".join(text for text in (row["reason"], payload["reason"]) if text)
    approval = f", approval {row['approval_id']}" if row["approval_id"] else ""
    move = f"{payload['from_state']} to {payload['to_state']}"
    return f"{payload['event']} by {payload['actor']}: {move}{approval}" + (f" ({why})" if why else "")


def _finished(row: Event, payload: Event) -> str:
    watched = f"monitoring {payload['monitoring']} {payload['monitoring_profile']}".strip()
    return f"the installation of {_what(row)} ended {row['state']}, {watched}"


def _notified(row: Event, payload: Event) -> str:
    return f"{payload['recipient']} is told ({row['state']}): {payload['subject']}"


def _other(row: Event, _payload: Event) -> str:
    return f"{row['kind']} {row['event_id']}"


def _what(row: Event) -> str:
    host = f" on {row['host']} {row['host_version']}" if row["host"] else ""
    return f"{row['plugin_id']} {row['plugin_version']}{host}"


_SENTENCES: Final[Mapping[str, Callable[[Event, Event], str]]] = {
    "InstallRequested": _requested,
    "CompatibilityChecked": _answered,
    "InstallBlocked": _blocked,
    "ExceptionUseRequested": _used,
    "ExceptionRequested": _asked,
    "ApprovalDecided": _approved,
    "ExceptionDecided": _decided,
    "InstallFinished": _finished,
    "NotificationRequested": _notified,
}
