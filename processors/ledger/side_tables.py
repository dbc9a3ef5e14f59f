"""Whether the tables for searches agree with the chained rows: no chain covers these tables themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, text

from processors.ledger.reading import Window
from processors.ledger.verify import Inconsistency, Kind

_IN_WINDOW: Final = (
    "(CAST(:since AS float8) IS NULL OR e.appended_at >= to_timestamp(CAST(:since AS float8) / 1000)) AND "
    "(CAST(:until AS float8) IS NULL OR e.appended_at < to_timestamp(CAST(:until AS float8) / 1000)) AND "
    "(CAST(:partition AS int) IS NULL OR abs(e.partition) % 100000 = :partition)"
)

_SAME_ROW: Final = (
    '(s.topic, s.partition, s."offset", s.appended_at) = (e.topic, e.partition, e."offset", e.appended_at)'
)

_CHECKS: Final[Mapping[str, str]] = {
    "its finding {what} is missing from event_findings, so that no search by finding shows it": (
        "SELECT e.topic, e.partition, e.sequence, code "
        "FROM ledger.ledger_events e, unnest(e.finding_codes) AS code "
        f"WHERE {_IN_WINDOW} AND NOT EXISTS (SELECT FROM ledger.event_findings s WHERE s.code = code.code "
        f"AND {_SAME_ROW})"
    ),
    "event_findings has a finding {what} that the row does not have": (
        "SELECT e.topic, e.partition, e.sequence, s.code FROM ledger.event_findings s JOIN ledger.ledger_events e "
        f"ON {_SAME_ROW} WHERE {_IN_WINDOW} AND s.code <> ALL(e.finding_codes)"
    ),
    "it is kept apart as {what}, and missing from quarantine": (
        "SELECT e.topic, e.partition, e.sequence, e.status FROM ledger.ledger_events e "
        f"WHERE {_IN_WINDOW} AND e.status <> 'recorded' AND NOT EXISTS (SELECT FROM ledger.quarantine s "
        'WHERE (s.topic, s.partition, s."offset") = (e.topic, e.partition, e."offset"))'
    ),
}
"""Possible differences, and the query for their rows: topic, partition, sequence, and what differs."""


def compare(connection: Connection, window: Window) -> Iterator[Inconsistency]:
    """Every row of the window that a side table lacks or has too many."""
    bounds = {"since": window.since, "until": window.until, "partition": window.partition}
    for message, query in _CHECKS.items():
        for topic, partition, sequence, what in connection.execute(text(query), bounds):
            yield Inconsistency(
                Kind.SIDE_TABLE, topic, partition, sequence, f"row {sequence}: {message.format(what=what)}"
            )
