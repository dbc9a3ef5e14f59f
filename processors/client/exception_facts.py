"""An exception as people see it, at a terminal or over HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from processors.documents.instants import utc
from processors.events.exceptions import ExceptionDecided, Status
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.notices import gist
from processors.exception_workflow.rules.executions import way_out
from processors.exception_workflow.rules.reasons import SENTENCES
from processors.exception_workflow.rules.reasons import in_words as reason_in_words
from processors.exception_workflow.rules.timers import REVIEWING, current_step, step_deadline
from processors.exception_workflow.state.case import ExceptionCase
from processors.matrix.writing import instant

OPEN = frozenset({Status.CHECKING, Status.PENDING, Status.IN_REVIEW, Status.APPROVED, Status.NEEDS_REVIEW})
"""Statuses in which something may still happen to it."""


class Waiting(NamedTuple):
    """Whose decision an exception waits for. `step` is None if it waits for nobody's decision.

    `approve` is how many must agree, `due_at` until when, in milliseconds since the epoch. A decision states `step`
    and `report_digest`.
    """

    step: str | None
    roles: Sequence[str]
    approve: int
    due_at: int | None
    report_digest: str


def waiting_of(case: ExceptionCase, policy: ExceptionPolicy) -> Waiting:
    step = current_step(case, policy) if case.status in REVIEWING else None
    if step is None:
        return Waiting(None, (), 0, None, case.report_digest)
    threshold = policy.thresholds[step.threshold]
    return Waiting(
        step.name, tuple(threshold.roles), threshold.approve, step_deadline(case, policy), case.report_digest
    )


def facts_of(case: ExceptionCase, policy: ExceptionPolicy) -> dict[str, Any]:
    """What people see of an exception, as JSON: times as ISO 8601, null for what does not exist."""
    step = current_step(case, policy) if case.status in REVIEWING else None
    due = step_deadline(case, policy) or (case.valid_until if case.status is Status.APPROVED else None)
    confirmed = case.status is not Status.CHECKING  # until then, the guard has not confirmed them
    return {
        "exception": case.exception_id,
        "for": gist(case),
        "status": case.status.value,
        "round": case.round,
        "band": case.band.value if confirmed else None,
        "score": case.score if confirmed else None,
        "findings": list(case.codes) if confirmed else [],
        "report": (case.checked_as or case.request_id) if confirmed else None,
        "requester": case.requester.subject,
        "risk": case.risk_statement,
        "category": case.category.value,
        "controls": list(case.controls),
        "asked_until": _time(case.asked_until),
        "step": step.name if step is not None else None,
        "due": _time(due),
        "left": left(due),
        "approved_by": [
            {"who": approval.person.subject, "step": approval.step, "at": instant(approval.at)}
            for approval in case.approvals
        ],
        "approval_id": case.approval_id,
        "valid_until": _time(case.valid_until),
        "monitoring": case.profile,
        "uses": case.uses,
        "report_digest": case.report_digest,
        "what_next": way_out(case),
    }


def in_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """The same for a table, without empty fields."""
    said = {name: _said(value) for name, value in facts.items()}
    return {name: text for name, text in said.items() if text}


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, cast("list[Any]", value)))
    if isinstance(value, Mapping):
        approval = cast("Mapping[str, str]", value)
        return f"{approval['who']} ({approval['step']})"
    return "" if value is None else str(value)


def _time(at: int | None) -> str | None:
    return None if at is None else instant(at)


def left(due: int | None) -> str:
    """The remaining time, as `3 h 20 min`; a minus means that it is over."""
    if due is None:
        return ""
    minutes = (due - time.time_ns() // 1_000_000) // 60_000
    days, hours = abs(minutes) // 1440, abs(minutes) % 1440 // 60
    text = f"{days} d {hours} h" if days else f"{hours} h {abs(minutes) % 60} min"
    return f"-{text}" if minutes < 0 else text


def date(at: int | None) -> str:
    """An instant in UTC, to the second; empty for none."""
    return "" if at is None else f"{utc(at):%Y-%m-%d %H:%M:%S}Z"


def why(decided: ExceptionDecided) -> str:
    """Why something was decided, in words: the reasons of a refusal, then the details of the case."""
    code, said = decided.reason_code, decided.reason
    if not code:
        return said
    others, colon, rest = said.partition(": ")
    if not colon or not SENTENCES.keys() >= set(others.split(", ")):  # a colon in the text itself, or none
        others, rest = "", said
    codes = filter(None, [code, *others.split(", ")])
    return "; ".join(map(reason_in_words, codes)) + (f" ({rest})" if rest else "")


def monitoring_of(case: ExceptionCase, policy: ExceptionPolicy) -> str:
    """The approved monitoring, as `PROFILE:ADDON,...`; what a request under the exception must attach."""
    known = policy.monitoring.get(case.profile)
    return ":".join(filter(None, (case.profile, ",".join(known.addons) if known else "")))


def by_urgency(cases: Sequence[ExceptionCase], policy: ExceptionPolicy, *, everything: bool) -> list[ExceptionCase]:
    """Open exceptions, or all, those with the earliest deadline first."""
    chosen = [case for case in cases if everything or case.status in OPEN]
    return sorted(chosen, key=lambda case: step_deadline(case, policy) or case.valid_until or 2**62)
