"""What a committed batch of the ledger counts for."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

import structlog

from processors.ledger.records import RECORDED
from processors.metrics import LEDGER_COMMITTED, LEDGER_DUPLICATES, LEDGER_QUARANTINED, LEDGER_ROWS

if TYPE_CHECKING:
    from processors.ledger.filing import Filed


_log = structlog.get_logger(__name__)


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
    if filed.rows:
        LEDGER_COMMITTED.set_to_current_time()
