"""What a command about an exception says, from what a person asks for. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from processors.client.transport import Change, Wanted
from processors.errors import SettingsInvalid
from processors.exception_workflow.notify.notices import gist
from processors.exception_workflow.state.case import ExceptionCase


def command(case: ExceptionCase, kind: str, **more: Any) -> dict[str, Any]:
    """A command about an exception that exists; `more` are fields that differ from what it says of itself."""
    return {
        "exception_id": case.exception_id,
        "kind": kind,
        "at": time.time_ns() // 1_000_000,
        "requester": case.requester.subject,
        "requester_issuer": case.requester.issuer,
        **case.scope._asdict(),
        "request_id": case.request_id,
        "report_digest": "",
        "finding_ids": [],
        "risk_statement": "",
        "category": "WAIVER",
        "compensating_controls": [],
        "valid_until": None,
        "single_use": case.single_use,
        "reason": "",
        "proof_kind": "SERVICE_JWS",
        "proof": None,
        "subject": None,
        "report": None,
        **more,
    }


def request(block: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """The command that asks for an exception from a block."""
    return {
        **block,
        "risk_statement": wanted.risk,
        **_controlled(wanted.controls),
        "valid_until": wanted.valid_until,
        "single_use": wanted.single_use,
    }


def amendment(case: ExceptionCase, block: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The command that amends it. `block` is what it rests on afterwards.

    Raises SettingsInvalid for a block of another exception, which must not be changed instead.
    """
    if block["exception_id"] != case.exception_id:
        raise SettingsInvalid(
            f"request `{block['request_id']}` is not about {gist(case)}, which this exception is for; "
            f"ask for one of its own: `compat-guard exception request {block['request_id']}`"
        )
    return {
        **block,
        "kind": "AMENDED",
        "risk_statement": case.risk_statement if change.risk is None else change.risk,
        "reason": change.reason,
        **_controlled(case.controls if change.controls is None else change.controls),
        "valid_until": case.asked_until if change.valid_until is None else change.valid_until,
        "single_use": case.single_use if change.single_use is None else change.single_use,
    }


def kept(case: ExceptionCase, change: Change) -> Sequence[str]:
    """The findings that an amendment is for if it names none: those of before, unless it rests on another block."""
    return case.finding_ids if change.request_id is None else ()


def extended_until(case: ExceptionCase, longer: int | None, now: int) -> int | None:
    """The end that an extension asks for. Times are milliseconds; None asks for the most that is permitted."""
    return None if longer is None else max(now, case.valid_until or 0) + longer


def _controlled(controls: Sequence[str]) -> dict[str, Any]:
    return {"category": "MITIGATED" if controls else "WAIVER", "compensating_controls": list(controls)}
