"""A backup that was restored is the ledger again once the topics have filled it up, and `verify` says so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from examples.ledgers import KEYS, anchor_rows, commit, replaced, rows_of, started
from sqlalchemy import Engine, make_url

from processors.embedded.postgres import programs
from processors.errors import NotAnchored
from processors.ledger.anchoring import Anchoring, holding
from processors.ledger.anchors import Noted
from processors.ledger.database import connect, reading
from processors.ledger.proof import check
from processors.ledger.reading import Window, prove_event
from processors.ledger.records import Row
from processors.ledger.samples import story, traffic
from processors.ledger.verify import Inconsistency
from processors.ledger.whole import verify_all
from processors.stream.types import Outbound

pytestmark = pytest.mark.stack

RECORDS = rows_of([*(s for n in range(3) for s in story(n)), *(s for n in range(60) for s in traffic(n))])
BACKED_UP = len(RECORDS) // 2


class Topics:
    """What Kafka still has when the database is lost: all records, and the anchors that were published."""

    def __init__(self) -> None:
        self.anchors: list[dict[str, Any]] = []

    def fill(self, sink: Engine, rows: Sequence[Row], batch: int, every: float = 0.0) -> Anchoring:
        """What a ledger does with these rows, so many of them in a transaction, and an anchor every few seconds."""
        anchoring = Anchoring(
            holding(sink), lambda event: json.dumps(event).encode(), self._publish, KEYS.anchors[-1], every
        )
        transaction = started(sink, rows, anchoring)
        for first in range(0, len(rows), batch):
            commit(transaction, rows[first : first + batch])
        return anchoring

    def verify(self, sink: Engine) -> list[Inconsistency]:
        with reading(sink) as connection:
            return verify_all(connection, self._noted(), KEYS.public, Window()).found

    def prove(self, sink: Engine, row: Row) -> dict[str, Any]:
        with reading(sink) as connection:
            return prove_event(connection, row.event_id, self._noted(), KEYS.public)

    def _publish(self, records: Sequence[Outbound]) -> None:
        self.anchors += [json.loads(record.value or b"") for record in records]

    def _noted(self) -> list[Noted]:
        return [Noted(offset, event) for offset, event in enumerate(self.anchors)]


def test_a_restored_ledger_fills_up_and_verifies(database: str, tmp_path: Path) -> None:
    """With the anchors of the time before the loss and other cuts between transactions: neither is a forgery."""
    topics, sink = Topics(), connect(database, "guard_sink")
    topics.fill(sink, RECORDS[:BACKED_UP], batch=20)
    dump = tmp_path / "guard.dump"
    url = make_url(database).set(drivername="postgresql").render_as_string(False)
    subprocess.run([programs() / "pg_dump", "--format=custom", f"--file={dump}", url], check=True)
    topics.fill(sink, RECORDS[BACKED_UP:], batch=20)
    filed = anchor_rows(topics.anchors)
    commit(started(sink, filed), filed)
    before = topics.prove(sink, RECORDS[-1])
    sink.dispose()

    replaced(database, dump)

    restored = connect(database, "guard_sink")
    last = len(topics.anchors)
    anchoring = topics.fill(restored, RECORDS[BACKED_UP:], batch=7, every=3600)
    commit(started(restored, filed), filed)
    assert topics.verify(restored) == [], "by the anchors of the time before the loss"
    with pytest.raises(NotAnchored, match="no anchor covers it yet"):
        topics.prove(restored, RECORDS[-1])  # a proof that does not hold would be worse than none

    anchoring.publish_now()
    again = anchor_rows(topics.anchors[last:], start=last)
    commit(started(restored, again), again)
    assert topics.verify(restored) == []
    assert check(topics.prove(restored, RECORDS[0]), KEYS.public) == []
    assert check(topics.prove(restored, RECORDS[-1]), KEYS.public) == []
    assert check(before, KEYS.public) == [], "what was proved before the loss stays proved"
    restored.dispose()
