"""The metrics and log lines of a committed batch of the ledger."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from processors.events import topics
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.reconcile import Kind
from processors.ledger.records import ID_CONFLICT, RECORDED, UNREADABLE
from processors.observability.metrics import (
    LEDGER_CHANGED,
    LEDGER_COMMITTED,
    LEDGER_COMPARED,
    LEDGER_DIFFERENCES,
    LEDGER_DUPLICATES,
    LEDGER_QUARANTINED,
    LEDGER_ROWS,
    UNAVAILABLE,
    WAITING,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from processors.errors import DatabaseUnavailable
    from processors.ledger.filing import Filed
    from processors.ledger.origins import Change
    from processors.ledger.reconcile import Difference


_log = structlog.get_logger(__name__)

for _topic in sorted(topic for name, topic in vars(topics).items() if name.isupper()):
    LEDGER_ROWS.labels(_topic)  # neither a rate nor an alert can see the first increment of a new series
    LEDGER_DUPLICATES.labels(_topic)
    for _status in (ID_CONFLICT, UNREADABLE):
        LEDGER_QUARANTINED.labels(_topic, _status)


_NAME = "ledger"
_DATABASE = "DatabaseUnavailable"


def waits(error: DatabaseUnavailable | None) -> None:
    """Report that the sink waits for its database while it takes partitions over, when its loop cannot report;
    None once the wait is over."""
    WAITING.labels(_NAME, _DATABASE).set(error is not None)
    if error is not None:
        UNAVAILABLE.labels(_NAME, _DATABASE).inc()


def changed(looked_at: Collection[str], found: Sequence[Change]) -> None:
    """Report in metrics and log which topics are not those from which the ledger was filed."""
    for topic in looked_at:
        LEDGER_CHANGED.labels(topic).set(any(change.topic == topic for change in found))
    for change in found:
        said = {"topic": change.topic, "message": change.message}
        _log.critical("a topic has changed, and nothing is filed until it is taken up", **said)


def differ(topic: str, found: Sequence[Difference]) -> None:
    """Report in metrics and log how a topic and the ledger differ, according to the sink's own comparison."""
    for kind in Kind:
        LEDGER_DIFFERENCES.labels(topic, kind).set(sum(difference.kind is kind for difference in found))
    for difference in found[:10]:
        _log.critical("topic and ledger differ", **asdict(difference))


def compared() -> None:
    LEDGER_COMPARED.set_to_current_time()


def count(filed: Filed) -> None:
    """Count a committed batch, and log what is unusual in it."""
    for topic, number in Tally(row.topic for row in filed.rows).items():
        LEDGER_ROWS.labels(topic).inc(number)
    for topic, number in Tally(row.topic for row in filed.duplicates).items():
        LEDGER_DUPLICATES.labels(topic).inc(number)
    odd = Tally((row.topic, row.status) for row in filed.rows if row.status != RECORDED)
    for (topic, status), number in odd.items():
        LEDGER_QUARANTINED.labels(topic, status).inc(number)
        _log.warning("records are in quarantine", topic=topic, status=status, records=number)
    if any(row.topic != LEDGER_ANCHORS for row in filed.rows):  # anchors are not anchored
        LEDGER_COMMITTED.set_to_current_time()
