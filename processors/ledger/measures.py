"""How well the guard works, for a period: each figure with the SQL behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

Taken = Mapping[str, Any]
"""The parts of a figure by name."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure by name. `query` gives one row whose columns are the figure's parts.

    Shares are between 0 and 1, and null if there was nothing to judge. `target` is the promised value.
    """

    name: str
    meaning: str
    query: str
    target: str = ""


_DECIDED = """
    SELECT exception_id, payload->>'round' AS round,
           min(appended_at) FILTER (WHERE payload->>'event' = 'requested') AS asked,
           min(appended_at) FILTER (WHERE state IN ('APPROVED', 'REJECTED')) AS decided,
           (array_agg(state ORDER BY appended_at, "offset")
             FILTER (WHERE state IN ('APPROVED', 'REJECTED')))[1] AS answer
    FROM ledger.ledger_events WHERE topic = 'compat.exception-decisions' AND status = 'recorded'
    GROUP BY 1, 2"""

MEASURES: Final = (
    Measure(
        "accuracy",
        "Share of installations let through whose outcome did not disprove it. The share on the labelled corpus is "
        "measured by `compat-guard accuracy`",
        """
    SELECT count(*) FILTER (WHERE outcome = 'SUCCEEDED')::float8 / nullif(count(*), 0) AS share, count(*) AS judged
    FROM ledger.requests WHERE verdict IN ('ALLOW', 'WARN') AND outcome IN ('SUCCEEDED', 'FAILED', 'ROLLED_BACK')
      AND finished_at >= :since AND finished_at < :until""",
        ">= 0.98",
    ),
    Measure(
        "decisions_within_24h",
        "Share of exception rounds decided within 24 hours of being asked for, and how long it took, in seconds",
        f"""
    SELECT count(*) FILTER (WHERE decided - asked <= interval '24 hours')::float8 / nullif(count(*), 0) AS share,
           extract(epoch FROM percentile_cont(0.50) WITHIN GROUP (ORDER BY decided - asked))::float8 AS p50_seconds,
           extract(epoch FROM percentile_cont(0.95) WITHIN GROUP (ORDER BY decided - asked))::float8 AS p95_seconds,
           count(*) AS decided
    FROM ({_DECIDED}) AS rounds WHERE asked IS NOT NULL AND decided >= :since AND decided < :until""",
        "1.0",
    ),
    Measure(
        "blocks_logged",
        "Share of BLOCK answers that have their block in the ledger, with its findings",
        """
    SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM ledger.blocks b WHERE b.request_id = a.request_id
             AND cardinality(b.finding_codes) > 0))::float8 / nullif(count(*), 0) AS share, count(*) AS answers
    FROM ledger.ledger_events a WHERE topic = 'compat.results' AND status = 'recorded' AND verdict = 'BLOCK'
      AND NOT (exception_id IS NOT NULL AND payload ->> 'recheck_of' IS NOT NULL) -- nobody asked to install
      AND appended_at >= :since AND appended_at < :until""",
        "1.0",
    ),
    Measure(
        "executions_monitored",
        "Share of executions under an exception that ran with the monitoring that it demands",
        """
    SELECT count(*) FILTER (WHERE monitoring = 'ATTACHED' AND monitoring_profile = required_profile)::float8
             / nullif(count(*), 0) AS share, count(*) AS executions
    FROM ledger.executions WHERE outcome IS NOT NULL AND outcome <> 'CANCELLED'
      AND outcome_at >= :since AND outcome_at < :until""",
        ">= 0.95",
    ),
    Measure(
        "matrix_refreshes",
        "Matrix refreshes, sources they came from, and how many a day",
        """
    SELECT count(*) AS refreshes, count(DISTINCT payload->>'source') AS sources,
           count(*)::float8 / greatest(extract(epoch FROM CAST(:until AS timestamptz) - CAST(:since AS timestamptz))
             / 86400, 1e-9)::float8 AS per_day
    FROM ledger.ledger_events WHERE topic = 'compat.matrix-refreshes' AND kind = 'MatrixRefreshed'
      AND status = 'recorded' AND payload->>'part' = '1' AND appended_at >= :since AND appended_at < :until""",
    ),
    Measure(
        "blocks",
        "Requests blocked",
        """
    SELECT count(*) AS blocks FROM ledger.blocks WHERE blocked_at >= :since AND blocked_at < :until""",
    ),
    Measure(
        "exception_pass_rate",
        "Share of decided exception rounds that were approved",
        f"""
    SELECT count(*) FILTER (WHERE answer = 'APPROVED')::float8 / nullif(count(*), 0) AS share, count(*) AS decided
    FROM ({_DECIDED}) AS rounds WHERE decided >= :since AND decided < :until""",
    ),
)


def take(connection: Connection, since: Any, until: Any) -> dict[str, Taken]:
    """All measures of a period; `since` is inclusive, `until` exclusive. Both are instants with a time zone."""
    period = {"since": since, "until": until}
    return {measure.name: _take(connection, measure, period) for measure in MEASURES}


def _take(connection: Connection, measure: Measure, period: Mapping[str, Any]) -> Taken:
    return dict(connection.execute(text(measure.query), dict(period)).one()._mapping)  # pyright: ignore[reportPrivateUsage]
