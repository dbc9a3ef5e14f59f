"""What came of a case, in one line: whether it may run, who let it, and how it ended. Pure: facts in, words out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from processors.ledger.numbering import partition_of
from processors.ledger.records import RECHECK, RECORDED

Event = Mapping[str, Any]


class Consent(NamedTuple):
    """An approval that counted: who gave it, and the roles that the proof of it claimed."""

    who: str
    step: str
    roles: Sequence[str]

    def __str__(self) -> str:
        roles = f" as {' and '.join(self.roles)}" if self.roles else ""
        return f"{self.who}{roles}" + (f" ({self.step})" if self.step else "")


def summary(rows: Sequence[Event]) -> str:
    """A line about a case, of its events in order as `queries` gives them; empty where nobody has judged it yet.

    An approval counts where the workflow says so. What the proof claimed of roles is then what was believed.
    """
    recorded = [row for row in rows if row["status"] == RECORDED and not _is_recheck(row)]
    answer = _last(recorded, "CompatibilityChecked")
    decision = _last([row for row in recorded if row["state"] != "UNKNOWN"], "ExceptionDecided")
    parts = [_judged(answer), *_excepted(recorded, decision), _ended(_last(recorded, "InstallFinished"))]
    said = "; ".join(part for part in parts if part)
    return f"{said[:1].upper()}{said[1:]}"


def _is_recheck(row: Event) -> bool:
    """The guard asking itself: nobody was let install anything by that."""
    return row["kind"] in {"InstallRequested", "CompatibilityChecked"} and row["state"] == RECHECK


def _judged(answer: Event | None) -> str:
    if answer is None:
        return ""
    why = f" for {', '.join(answer['finding_codes'])}" if answer["finding_codes"] else ""
    said = _VERDICTS.get(answer["verdict"] or "", "")
    under = f" {answer['exception_id']}" if answer["verdict"] == "ALLOW_BY_EXCEPTION" else ""
    return f"{said}{under}{why}" if said else ""


def _excepted(rows: Sequence[Event], decision: Event | None) -> Sequence[str]:
    """How the exception stands, and who approved the round that runs."""
    if decision is None:
        return ()
    round = json.loads(decision["payload"])["round"]
    given = consents(rows, round)
    approval = f" under {decision['approval_id']}" if decision["approval_id"] else ""
    approved = f"approved by {' and '.join(map(str, given))}{approval}" if given else ""
    return (f"the exception {_STATES.get(decision['state'] or '', 'is there')}", approved)


def consents(rows: Sequence[Event], round: int) -> list[Consent]:
    """The approvals of a round that the workflow counted, in order. Roles are those of the proof that it counted:
    anybody can send another one under the same name."""
    claimed: dict[str, Sequence[str]] = {}
    given: list[Consent] = []
    for row in rows:
        payload: Event = json.loads(row["payload"]) if row["kind"] in _OF_APPROVALS else {}
        if row["kind"] == "ApprovalDecided":
            claimed[_place(row)] = _texts(payload.get("claims", {}).get("roles"))
        elif row["kind"] == "ExceptionDecided" and payload["event"] in _COUNTED and payload["round"] == round:
            given.append(Consent(payload["actor"], payload["step"], claimed.get(payload.get("caused_by", ""), ())))
    return given


def _place(row: Event) -> str:
    """As decisions name the record that caused them: by its place in Kafka."""
    return f"{row['topic']}/{partition_of(row['partition'])}/{row['offset']}"


def _ended(outcome: Event | None) -> str:
    if outcome is None:
        return ""
    watched = " ".join(filter(None, (outcome["monitoring"], outcome["monitoring_profile"])))
    ended = _OUTCOMES.get(outcome["state"] or "", "ended")
    return f"the installation {ended}" + (f", monitoring {watched}" if watched else "")


def _last(rows: Sequence[Event], kind: str) -> Event | None:
    return next((row for row in reversed(rows) if row["kind"] == kind), None)


def _texts(value: Any) -> Sequence[str]:
    """Claims are what somebody sent."""
    if not isinstance(value, list):
        return ()
    return [role for role in cast("list[Any]", value)[:5] if isinstance(role, str)]


_OF_APPROVALS: Final = frozenset({"ApprovalDecided", "ExceptionDecided"})
_COUNTED: Final = frozenset({"approval_recorded", "step_approved", "approved"})
_VERDICTS: Final[Mapping[str, str]] = {
    "ALLOW": "allowed",
    "WARN": "allowed with a warning",
    "BLOCK": "blocked",
    "ALLOW_BY_EXCEPTION": "allowed by exception",
}
_STATES: Final[Mapping[str, str]] = {
    "CHECKING": "is being checked",
    "PENDING": "waits for its first approval",
    "IN_REVIEW": "waits for another approval",
    "APPROVED": "is approved",
    "CONSUMED": "is used up",
    "NEEDS_REVIEW": "needs a review",
    "REJECTED": "was denied",
    "WITHDRAWN": "was withdrawn",
    "LAPSED": "lapsed undecided",
    "VOIDED": "is void",
    "REVOKED": "was revoked",
    "EXPIRED": "is over",
}
_OUTCOMES: Final[Mapping[str, str]] = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "ROLLED_BACK": "was rolled back",
    "CANCELLED": "was called off",
}
