"""Summarises an event of the ledger: who did what, with which outcome, and why. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

REFUSED: Final = "REFUSED"
"""The outcome of a command or decision that the workflow did not accept, whatever it claimed to be."""

SENT: Final = "SENT"
"""The outcome of a command or decision that was sent: its result is a separate event."""


class Happening(NamedTuple):
    """`who` is the masked name, as `k1:<hex> (p…)`; empty if a timer, a rule or the guard itself acted."""

    who: str
    event: str
    outcome: str
    reason: str


def happening(row: Mapping[str, Any]) -> Happening:  # noqa: PLR0911 - one return for each kind of event
    """`row` is as `queries` gives it."""
    payload: Mapping[str, Any] = json.loads(row["payload"])
    if row["status"] != "recorded":
        return Happening("", row["kind"], row["status"].upper(), row["reason"] or "")
    who, reason = _who(payload), row["reason"] or ""
    match row["kind"]:
        case "InstallRequested":
            return Happening(who, "asked again" if row["state"] else "asked to install", SENT, reason)
        case "CompatibilityChecked" | "InstallBlocked" | "ExceptionUseRequested" as kind:
            event = {"CompatibilityChecked": "answered", "InstallBlocked": "blocked"}.get(
                kind, "put to the workflow"
            )
            return Happening(who, event, row["verdict"] or "", reason or ", ".join(row["finding_codes"]))
        case "ExceptionRequested":
            return Happening(who, f"command {row['state']}", SENT, str(payload["reason"]))
        case "ApprovalDecided":
            claims: Mapping[str, Any] = payload.get("claims", {})
            what = f"decision {row['state'] or 'sealed'}"
            return Happening(str(claims.get("sub", "")), what, SENT, str(claims.get("reason", "")))
        case "ExceptionDecided":
            outcome = REFUSED if reason else row["state"]
            why = ": ".join(filter(None, (reason, str(payload["reason"]))))
            return Happening(_actor(row, payload), payload["event"], outcome, why)
        case "InstallFinished":
            return Happening(who, "installation ended", row["state"] or "", reason)
        case kind:
            return Happening("", kind, row["state"] or "", reason)


def short(who: str) -> str:
    """A masked name for a narrow column: its display form, and enough of the pseudonym to distinguish people."""
    pseudonym, opening, name = who.partition(" (")
    return f"{name.removesuffix(')')} {pseudonym.partition(':')[2][:4]}" if opening else who


def _who(payload: Mapping[str, Any]) -> str:
    return str(payload.get("operator") or payload.get("requester") or "")


def _actor(row: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """The person, if one acted; the workflow names its timers and rules in the same field."""
    return str(payload["actor"]) if row["approver"] or row["operator"] else ""
