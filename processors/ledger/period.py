"""What happened in a period, for auditors: blocks and exceptions, each table with the SQL behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text


class Section(NamedTuple):
    """A table of the report. `means` says what is counted; cells are texts, numbers and times."""

    title: str
    means: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Period:
    """`since` is inclusive, `until` exclusive; both have a time zone."""

    since: datetime
    until: datetime
    sections: tuple[Section, ...]


MOST: Final = 500
"""The most rows of one section. Longer lists need an export."""

_QUERIES: Final = (
    (
        "Blocks by risk",
        "Blocked requests by risk band",
        """
    SELECT band AS risk, count(*) AS blocks, count(DISTINCT request_id) AS requests,
           count(DISTINCT plugin_id) AS plugins
    FROM ledger.blocks WHERE blocked_at >= :since AND blocked_at < :until GROUP BY 1 ORDER BY 2 DESC""",
    ),
    (
        "Top causes",
        "Findings that blocked, by the number of blocks they were part of",
        """
    SELECT code AS finding, count(*) AS blocks, count(DISTINCT plugin_id) AS plugins
    FROM ledger.blocks, unnest(finding_codes) AS code
    WHERE blocked_at >= :since AND blocked_at < :until GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10""",
    ),
    (
        "Most blocked",
        "Plugins and hosts with the most blocks",
        """
    SELECT plugin_id AS plugin, plugin_version AS version, concat_ws(' ', host, host_version) AS host,
           count(*) AS blocks, max(blocked_at) AS last
    FROM ledger.blocks WHERE blocked_at >= :since AND blocked_at < :until
    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 10""",
    ),
    (
        "Exceptions by risk and state",
        "Exceptions asked for or changed in the period, as they stand now",
        """
    SELECT band AS risk, state, count(*) AS exceptions FROM ledger.exceptions
    WHERE (asked_at >= :since AND asked_at < :until) OR (changed_at >= :since AND changed_at < :until)
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2""",
    ),
    (
        "Exceptions",
        "Each of them, the newest first",
        """
    SELECT exception_id AS exception, plugin_id AS plugin, plugin_version AS version,
           concat_ws(' ', host, host_version) AS host, band AS risk, state, requester, asked_at AS asked,
           approval_id AS approval, to_timestamp(valid_until_ms / 1000.0) AS valid_until, uses
    FROM ledger.exceptions
    WHERE (asked_at >= :since AND asked_at < :until) OR (changed_at >= :since AND changed_at < :until)
    ORDER BY coalesce(asked_at, changed_at) DESC, 1""",
    ),
    (
        "Overdue",
        "Exceptions whose step ran out of time and still waits, the longest overdue first",
        """
    SELECT exception_id AS exception, plugin_id AS plugin, band AS risk, state,
           to_timestamp(due_at_ms / 1000.0) AS due
    FROM ledger.exceptions
    WHERE state IN ('CHECKING', 'PENDING', 'IN_REVIEW', 'NEEDS_REVIEW')
      AND to_timestamp(due_at_ms / 1000.0) < :until
    ORDER BY due_at_ms, 1""",
    ),
    (
        "Approver load",
        "What each approver decided, and what the workflow did not accept of it",
        """
    SELECT approver, count(*) FILTER (WHERE reason IS NULL) AS accepted,
           count(*) FILTER (WHERE reason IS NOT NULL) AS refused,
           count(DISTINCT exception_id) AS exceptions
    FROM ledger.ledger_events
    WHERE topic = 'compat.exception-decisions' AND status = 'recorded' AND approver IS NOT NULL
      AND appended_at >= :since AND appended_at < :until
    GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 1""",
    ),
    (
        "Executions under an exception",
        "How they ended, and whether they were monitored as demanded",
        """
    SELECT outcome, monitoring, count(*) AS executions FROM ledger.executions
    WHERE outcome_at >= :since AND outcome_at < :until GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2""",
    ),
)


def period(connection: Connection, since: datetime, until: datetime) -> Period:
    """The report of a period. People appear under their pseudonyms."""
    return Period(since, until, tuple(_section(connection, *query, since, until) for query in _QUERIES))


def _section(
    connection: Connection, title: str, means: str, query: str, since: datetime, until: datetime
) -> Section:
    found = connection.execute(text(f"{query.rstrip()} LIMIT {MOST}" if "LIMIT" not in query else query), {
        "since": since, "until": until
    })  # fmt: skip
    return Section(title, means, tuple(found.keys()), [tuple(row) for row in found])
