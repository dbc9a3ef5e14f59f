"""A backup that was restored on a new server is the ledger again once the topics have filled it up."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from examples.ledgers import KEYS, anchor_rows, commit, restored, rows_of, started
from examples.servers import own_postgres
from sqlalchemy import Engine, make_url

from processors.embedded.postgres import programs
from processors.errors import NotAnchored, SettingsInvalid
from processors.ledger.anchoring import Anchoring, holding
from processors.ledger.anchors import Noted
from processors.ledger.database import connect, migrate, reading
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


@pytest.fixture
def new_server() -> Iterator[str]:
    with own_postgres() as url:
        yield url


def test_a_restored_ledger_fills_up_and_verifies(database: str, new_server: str, tmp_path: Path) -> None:
    """With the anchors of the time before the loss and other cuts between transactions: neither is a forgery."""
    topics, sink = Topics(), connect(database, "guard_sink")
    topics.fill(sink, RECORDS[:BACKED_UP], batch=20)
    dump = tmp_path / "guard.dump"
    dump_of(database, dump)
    topics.fill(sink, RECORDS[BACKED_UP:], batch=20)
    filed = anchor_rows(topics.anchors)
    commit(started(sink, filed), filed)
    before = topics.prove(sink, RECORDS[-1])
    sink.dispose()

    place = restored(new_server, dump, str(make_url(database).database))
    migrate(place)

    new_sink = connect(place, "guard_sink")
    last = len(topics.anchors)
    anchoring = topics.fill(new_sink, RECORDS[BACKED_UP:], batch=7, every=3600)
    commit(started(new_sink, filed), filed)
    assert topics.verify(new_sink) == [], "by the anchors of the time before the loss"
    with pytest.raises(NotAnchored, match="no anchor covers it yet"):
        topics.prove(new_sink, RECORDS[-1])  # a proof that does not hold would be worse than none

    anchoring.publish_now()
    again = anchor_rows(topics.anchors[last:], start=last)
    commit(started(new_sink, again), again)
    assert topics.verify(new_sink) == []
    assert check(topics.prove(new_sink, RECORDS[0]), KEYS.public) == []
    assert check(topics.prove(new_sink, RECORDS[-1]), KEYS.public) == []
    assert check(before, KEYS.public) == [], "what was proved before the loss stays proved"
    new_sink.dispose()


def dump_of(database: str, file: Path) -> None:
    url = make_url(database).set(drivername="postgresql").render_as_string(False)
    subprocess.run([programs() / "pg_dump", "--format=custom", f"--file={file}", url], check=True)


def test_a_restore_without_the_roles_is_noticed_and_can_be_done_again(
    database: str, new_server: str, tmp_path: Path
) -> None:
    """pg_restore goes on after each owner and grant that it cannot set, and nothing could use what it leaves."""
    dump, name = tmp_path / "guard.dump", str(make_url(database).database)
    dump_of(database, dump)

    place = restored(new_server, dump, name, roles=False)
    with pytest.raises(SettingsInvalid, match=r"belongs to `guard`.*drop it.*ledger migrate --roles.*pg_restore"):
        migrate(place)

    with psycopg.connect(make_url(new_server).set(drivername="postgresql").render_as_string(False)) as connection:
        connection.autocommit = True
        connection.execute(f"DROP DATABASE {name}".encode())
    migrate(restored(new_server, dump, name))
    sink = connect(place, "guard_sink")
    commit(started(sink, RECORDS[:20]), RECORDS[:20])
    sink.dispose()
