"""Metrics and log lines of the workflow: what happened to exceptions, and the state of those that are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import structlog

from processors.events.exceptions import Status
from processors.events.vocabulary import Band, Verdict
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.reasons import Reason
from processors.exception_workflow.rules.timers import REVIEWING, step_deadline
from processors.exception_workflow.rules.transitions import Move
from processors.exception_workflow.state.case import ExceptionCase
from processors.observability import metrics

SHOWN_EVERY: Final = 15_000
"""Milliseconds between two passes over all held exceptions."""

MOST_LINES: Final = 20
"""The most moves of one batch that get a log line each."""

_BEGINNINGS: Final = ("requested", "review_opened", "unconfirmed")
_ENDS: Final = ("approved", "rejected", "withdrawn", "lapsed")
_TIMERS: Final = {"escalated": "step", "overdue": "total"}
_BREACHES: Final = tuple(_TIMERS)

_log: Any = structlog.get_logger(__name__)


class Answered(NamedTuple):
    """A request that the workflow answered instead of the checker."""

    verdict: Verdict
    band: Band
    codes: tuple[str, ...]


def begin() -> None:
    """Create every series with the value 0: a rate cannot see the first increment of a new series."""
    for band in Band:
        metrics.EXCEPTION_REQUESTS.labels(band)
        metrics.EXCEPTIONS_APPROVED.labels(band)
        metrics.CHECKS.labels(Verdict.ALLOW_BY_EXCEPTION, band)
    for reason in Reason:
        metrics.EXCEPTION_REFUSALS.labels(reason)
    for event in (*_BEGINNINGS, "refused", *_ENDS, "used", *_BREACHES, "monitoring_lost"):
        metrics.EXCEPTION_EVENTS.labels(event)
    for end in _ENDS:
        metrics.APPROVAL_SECONDS.labels(end)
    for timer in _TIMERS.values():
        metrics.SLA_BREACHES.labels(timer)


def count(facts: Iterable[Move | Answered]) -> None:
    moves = 0
    for fact in facts:
        if isinstance(fact, Answered):
            _count_answer(fact)
            continue
        _count_move(fact)
        moves += 1
        if moves <= MOST_LINES:
            _log.info("exception " + fact.fact.event.replace("_", " "), **_fields(fact))
    if moves > MOST_LINES:
        _log.info("more happened to exceptions; the ledger has it one by one", count=moves - MOST_LINES)


def _count_answer(answered: Answered) -> None:
    metrics.CHECKS.labels(answered.verdict, answered.band).inc()
    if answered.verdict is Verdict.BLOCK:
        metrics.BLOCKS.labels(answered.band).inc()
        for code in answered.codes:
            metrics.BLOCK_FINDINGS.labels(code).inc()


def _count_move(move: Move) -> None:
    event, case = move.fact.event, move.after
    metrics.EXCEPTION_EVENTS.labels(event).inc()
    for reason in move.fact.reasons:
        metrics.EXCEPTION_REFUSALS.labels(reason).inc()
    if not move.changed:
        return
    if event == "requested":
        metrics.EXCEPTION_REQUESTS.labels(case.band).inc()
    elif event == "approved":
        metrics.EXCEPTIONS_APPROVED.labels(case.band).inc()
    elif event in _BREACHES:
        metrics.SLA_BREACHES.labels(_TIMERS[event]).inc()
    elif event == "monitoring_lost":
        metrics.MONITORING_MISSING.inc()
    if event in _ENDS:
        took = (move.fact.at - move.before.opened_at) / 1000
        metrics.APPROVAL_SECONDS.labels(event).observe(max(took, 0.0))


def _fields(move: Move) -> dict[str, Any]:
    """The fields of a log line about a move. People and texts are masked when the line is written."""
    case, fact = move.after, move.fact
    return {
        "exception_id": case.exception_id,
        "approval_id": case.approval_id,
        "request_id": fact.request_id,
        "operator": fact.actor,
        "tenant": case.scope.tenant,
        "plugin_id": case.scope.plugin_id,
        "plugin_version": case.scope.plugin_version,
        "host.name": case.scope.host,
        "host.version": case.scope.host_version,
        "band": case.band,
        "status": case.status,
        "step": fact.step,
        "reasons": list(fact.reasons),
    }


class ExceptionGauges:
    """Gauges over all exceptions that this process holds.

    Computing them is costly, so it is done only now and then.
    """

    def __init__(self, policy: ExceptionPolicy) -> None:
        self._policy = policy
        self._next = 0
        begin()

    def show(self, held: Iterable[object], now: int) -> None:
        """`held` is iterated only if it is time again."""
        if now < self._next:
            return
        self._next = now + SHOWN_EVERY
        cases = [case for case in held if isinstance(case, ExceptionCase) and case.exists]
        by_status = Counter(case.status for case in cases)
        for status in Status:
            metrics.EXCEPTIONS.labels(status).set(by_status[status])
        unmonitored = Counter(case.band for case in cases if _is_unmonitored(case))
        open_ = [case for case in cases if case.status in REVIEWING]
        for band in Band:
            metrics.UNMONITORED.labels(band).set(unmonitored[band])
            self._show_urgency(band, [case for case in open_ if case.band is band], now)

    def _show_urgency(self, band: Band, open_: list[ExceptionCase], now: int) -> None:
        total = min((case.opened_at + self._policy.clocks.total for case in open_), default=None)
        steps = (step_deadline(case, self._policy) for case in open_)
        step = min((due for due in steps if due is not None), default=None)
        for gauge, due in ((metrics.SLA_LEFT, total), (metrics.STEP_SLA_LEFT, step)):
            if due is not None:
                gauge.labels(band).set((due - now) / 1000)
            else:
                gauge.labels(band)  # removing a series that was never set raises an error
                gauge.remove(band)


def _is_unmonitored(case: ExceptionCase) -> bool:
    return case.status is Status.NEEDS_REVIEW and any(not run.monitored for run in case.executions)
