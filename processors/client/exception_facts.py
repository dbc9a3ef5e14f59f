"""An exception as people look at it, at a terminal or over HTTP."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from processors.events.exceptions import Status
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.notices import gist
from processors.exception_workflow.rules.executions import way_out
from processors.exception_workflow.rules.timers import REVIEWING, current_step, step_deadline
from processors.exception_workflow.state.case import ExceptionCase

OPEN = frozenset({Status.CHECKING, Status.PENDING, Status.IN_REVIEW, Status.APPROVED, Status.NEEDS_REVIEW})
"""Where something may still happen to it."""


def facts_of(case: ExceptionCase, policy: ExceptionPolicy) -> dict[str, Any]:
    """What people see of an exception, in words and dates; empty where there is nothing to see."""
    step = current_step(case, policy) if case.status in REVIEWING else None
    confirmed = case.status is not Status.CHECKING  # until then, these are words that the guard has not said
    return {
        "exception": case.exception_id,
        "for": gist(case),
        "status": case.status.value,
        "round": case.round,
        "band": case.band.value if confirmed else "",
        "score": case.score if confirmed else "",
        "findings": ", ".join(case.codes) if confirmed else "",
        "report": (case.checked_as or case.request_id) if confirmed else "",
        "requester": case.requester.subject,
        "risk": case.risk_statement,
        "category": case.category.value,
        "controls": "; ".join(case.controls),
        "asked_until": date(case.asked_until),
        "step": step.name if step is not None else "",
        "due": date(step_deadline(case, policy) or (case.valid_until if case.status is Status.APPROVED else None)),
        "left": left(step_deadline(case, policy) or (case.valid_until if case.status is Status.APPROVED else None)),
        "approved_by": ", ".join(f"{a.person.subject} ({a.step})" for a in case.approvals),
        "approval_id": case.approval_id or "",
        "valid_until": date(case.valid_until),
        "monitoring": case.profile,
        "uses": case.uses,
        "report_digest": case.report_digest,
        "what_next": way_out(case),
    }


def left(due: int | None) -> str:
    """What is left until then, as `3 h 20 min`; a minus says that it is over."""
    if due is None:
        return ""
    minutes = (due - time.time_ns() // 1_000_000) // 60_000
    days, hours = abs(minutes) // 1440, abs(minutes) % 1440 // 60
    text = f"{days} d {hours} h" if days else f"{hours} h {abs(minutes) % 60} min"
    return f"-{text}" if minutes < 0 else text


def date(at: int | None) -> str:
    """An instant in UTC, to the second; empty for none."""
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
