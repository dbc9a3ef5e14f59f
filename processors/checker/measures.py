"""Metrics and log lines about committed answers of the checker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import structlog

from processors.checker.memo import Answered
from processors.events.vocabulary import Band, Code, Verdict
from processors.observability import metrics
from processors.stream.types import Inbound
from processors.stream.wire.headers import trace_id

MOST_LINES: Final = 3
"""The most answers of one batch that get a log line each.

The ledger has them all; a burst must not flood the log.
"""

_log: Any = structlog.get_logger(__name__)


class Decision(NamedTuple):
    """One request that the checker answered itself."""

    record: Inbound
    request_id: str
    by: Mapping[str, Any]
    """Who asked."""
    answered: Answered


def begin() -> None:
    """Create every series with the value 0: a rate cannot see the first increment of a new series."""
    for band in Band:
        metrics.BLOCKS.labels(band)
        for verdict in (Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK):
            metrics.CHECKS.labels(verdict, band)
    for code in Code:
        metrics.BLOCK_FINDINGS.labels(code)


def count(decisions: Sequence[Decision]) -> int:
    """Called once for each batch. Equal answers are one object, so a large batch needs few increments.

    Yields answers with the number of them that somebody may ask about: all but plain ALLOWs.
    """
    answers = [decision.answered for decision in decisions]
    distinct = {id(answered): answered for answered in answers}
    series: Counter[tuple[Verdict, Band, bool]] = Counter()
    codes: Counter[str] = Counter()
    for which, number in Counter(map(id, answers)).items():
        answered = distinct[which]
        series[answered.verdict, answered.band, answered.checked] += number
        for code in answered.finding_codes:
            codes[code] += number
    _increase(series, codes)
    return sum(number for (verdict, _, _), number in series.items() if verdict is not Verdict.ALLOW)


def _increase(series: Counter[tuple[Verdict, Band, bool]], codes: Counter[str]) -> None:
    for (verdict, band, checked), number in series.items():
        metrics.CHECKS.labels(verdict, band).inc(number)
        if verdict is Verdict.BLOCK:
            metrics.BLOCKS.labels(band).inc(number)
        if not checked:
            metrics.UNGUARDED.inc(number)
    for code, number in codes.items():
        metrics.BLOCK_FINDINGS.labels(code).inc(number)


def log(decisions: Iterable[Decision], of_interest: int) -> None:
    """Log a line for each of the `of_interest` answers that somebody may ask about, as long as there are few."""
    found = (decision for decision in decisions if decision.answered.verdict is not Verdict.ALLOW)
    for decision in islice(found, min(of_interest, MOST_LINES)):
        _log.info("request answered", **_fields(decision))
    if (left := of_interest - MOST_LINES) > 0:
        _log.info("more requests answered; the ledger has them one by one", count=left)


def _fields(decision: Decision) -> dict[str, Any]:
    answered, by = decision.answered, decision.by
    return {
        "request_id": decision.request_id,
        "exception_id": by["exception_id"],
        "approval_id": None,
        "operator": by["operator"],
        "tenant": by["tenant"],
        "environment": by["environment"],
        "plugin_id": answered.plugin_id,
        "plugin_version": answered.plugin_version,
        "host.name": answered.host,
        "host.version": answered.host_version,
        "dependencies": list(answered.dependencies),
        "verdict": answered.verdict.value,
        "band": answered.band.value,
        "score": answered.score,
        "finding_codes": [str(code) for code in answered.finding_codes],
        "trace.id": trace_id(decision.record.headers),
    }
