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
    what = f"{_ACTIONS.get(payload['action'], 'install')} {_what(row)}"
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
    did = _COMMANDS.get(row["state"] or "", "sent a command about an exception")
    how = _CATEGORIES.get(payload["category"], "") if row["state"] == "REQUESTED" else ""
    return f"{payload['requester']} {did}{how}" + (f": {said}" if said else "")


def _approved(row: Event, payload: Event) -> str:
    claims: Event = payload.get("claims", {})
    who = claims.get("sub") or "somebody"
    return f"{who} sent a decision ({row['state'] or 'sealed'}), proved by {payload['proof']}"


def _decided(row: Event, payload: Event) -> str:
    why = ": ".join(text for text in (row["reason"], payload["reason"]) if text)
    approval = f", approval {row['approval_id']}" if row["approval_id"] else ""
    what = change(payload["event"], payload["actor"], payload["step"], row["request_id"] or "")
    return f"{what}{approval}{_standing(payload)}" + (f" ({why})" if why else "")


def change(event: str, actor: str = "", step: str = "", request: str = "") -> str:
    """A change of an exception in words. Who did it is named where people can, and neither a clock nor a matrix."""
    said = _CHANGES.get(event)
    if said is None:
        return f"the exception: {event.replace('_', ' ')}"
    by, at = f" by {actor}" if actor else "", f" in step {step}" if step else ""
    return said.format(who=actor or "somebody", by=by, at=at, request=f" for request {request}" if request else "")


def _standing(payload: Event) -> str:
    """Where the exception stands since; nothing where there is none, as after a decision about nothing."""
    before, after = payload["from_state"], payload["to_state"]
    if after == "UNKNOWN":
        return ""
    return f"; it stays {after}" if before == after else f"; it is {after} now"


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


_ACTIONS: Final[Mapping[str, str]] = {"UPGRADE": "upgrade to", "DOWNGRADE": "go back to"}

_COMMANDS: Final[Mapping[str, str]] = {
    "REQUESTED": "asked for an exception",
    "AMENDED": "amended the request for an exception",
    "WITHDRAWN": "asked to withdraw the request for an exception",
    "REVOCATION_REQUESTED": "asked to revoke the exception",
    "EXTENSION_REQUESTED": "asked for more time for the exception",
}
_CATEGORIES: Final[Mapping[str, str]] = {"WAIVER": ", taking the risk", "MITIGATED": ", with the risk mitigated"}

_CHANGES: Final[Mapping[str, str]] = {
    "requested": "the exception was asked for{by}",
    "review_opened": "the guard found the same again, and the review of the exception began",
    "unconfirmed": "the guard did not find the same again, and the request for the exception ended",
    "voided": "the exception became void: what it is for is not blocked any more",
    "amended": "the request for the exception was amended{by}",
    "approval_recorded": "the exception was approved{by}{at}, where others still have to",
    "step_approved": "the exception was approved{by}{at}, and the next step waits",
    "approved": "the exception was approved{by}{at}, which was the last one",
    "rejected": "the exception was denied{by}{at}",
    "withdrawn": "the request for the exception was withdrawn{by}",
    "revoked": "the exception was revoked{by}",
    "lapsed": "nobody decided in time, and the request for the exception lapsed",
    "expired": "the exception ended, as its time was over",
    "used": "the exception let an installation pass{request}",
    "used_again": "the exception let the same installation pass once more{request}, as it was asked for again",
    "recheck_sent": "the guard was asked to judge again what the exception is for",
    "rechecked": "the guard judged again what the exception is for, and it still holds",
    "needs_review": "the exception lets nothing pass until it is reviewed",
    "extension_requested": "more time was asked for{by}, which is a new review of the exception",
    "monitoring_lost": "what runs under the exception is not watched as it demands",
    "execution_succeeded": "an installation under the exception succeeded{request}",
    "execution_failed": "an installation under the exception failed{request}",
    "execution_rolled_back": "an installation under the exception was rolled back{request}",
    "execution_cancelled": "an installation under the exception was called off{request}",
    "reminded": "whoever has to decide about the exception was reminded{at}",
    "escalated": "the exception was escalated, as it waits for too long{at}",
    "overdue": "the decision about the exception is overdue",
    "heads_up": "people were told that the exception ends soon",
    "refused": "what {who} sent about the exception was refused",
    "orphaned": "{who} sent a decision to which there is no exception",
    "repeated": "{who} sent a command about the exception once more, which changed nothing",
    "already_open": "{who} asked for the exception once more while it is open, which changed nothing",
}
"""By the events of ExceptionDecided. `{who}` and `{by}` are who did it, `{at}` is the step that it was in."""

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
