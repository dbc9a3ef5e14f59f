"""What a committed batch of the ledger counts for."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

import structlog

from processors.events import topics
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.records import ID_CONFLICT, RECORDED, UNREADABLE
from processors.observability.metrics import (
    LEDGER_COMMITTED,
    LEDGER_DUPLICATES,
    LEDGER_QUARANTINED,
    LEDGER_ROWS,
    UNAVAILABLE,
    WAITING,
)

if TYPE_CHECKING:
    from processors.errors import DatabaseUnavailable
    from processors.ledger.filing import Filed


_log = structlog.get_logger(__name__)

for _topic in sorted(topic for name, topic in vars(topics).items() if name.isupper()):
    for _status in (ID_CONFLICT, UNREADABLE):  # an alert cannot see the first step of a new series
        LEDGER_QUARANTINED.labels(_topic, _status)


_NAME = "ledger"
_DATABASE = "DatabaseUnavailable"


def waits(error: DatabaseUnavailable | None) -> None:
    """Show that the sink waits for its database while it takes partitions over, where its loop cannot show it; None
    once it does not any more."""
    WAITING.labels(_NAME, _DATABASE).set(error is not None)
    if error is not None:
        UNAVAILABLE.labels(_NAME, _DATABASE).inc()


def count(filed: Filed) -> None:
    """Count a committed batch, and say in the log what is odd in it."""
    for topic, number in Tally(row.topic for row in filed.rows).items():
        LEDGER_ROWS.labels(topic).inc(number)
    for topic, number in Tally(row.topic for row in filed.duplicates).items():
        LEDGER_DUPLICATES.labels(topic).inc(number)
    odd = Tally((row.topic, row.status) for row in filed.rows if row.status != RECORDED)
    for (topic, status), number in odd.items():
        LEDGER_QUARANTINED.labels(topic, status).inc(number)
        _log.warning("records are in quarantine", topic=topic, status=status, records=number)
    if any(row.topic != LEDGER_ANCHORS for row in filed.rows):  # nobody anchors the anchors
        LEDGER_COMMITTED.set_to_current_time()
