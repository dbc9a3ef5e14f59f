"""A topic that was created anew, another cluster, records that were skipped: noticed, told, and gone on with."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from examples.ground import Ground, eventually
from examples.ledgers import KEYS, MASKER, NOW
from sqlalchemy import Engine

from processors.bootstrap.ledger_watch import Watch
from processors.cli.demo.commands import environment_of
from processors.contracts.topics import Topic
from processors.embedded import Addresses
from processors.errors import Fenced, OffsetsLost, OriginChanged, SettingsInvalid
from processors.ledger import numbering
from processors.ledger.anchoring import holding
from processors.ledger.anchors import Noted, anchor
from processors.ledger.database import reading, writing
from processors.ledger.filing import At
from processors.ledger.late import file_late
from processors.ledger.lives import LivingTransaction
from processors.ledger.losses import GivenUp, Loss, Truncation, noted
from processors.ledger.origins import Identify, Origin, changes, lives
from processors.ledger.reading import Window
from processors.ledger.reconcile import Kind
from processors.ledger.records import Row, row_of
from processors.ledger.samples import traffic
from processors.ledger.taking_up import Obstacle, confirmed, obstacles, standing, take_up
from processors.ledger.transaction import Committed, Entries, PostgresTransaction
from processors.ledger.whole import verify_all
from processors.stream.admin.identity import identities
from processors.stream.io import clients
from processors.stream.loop.starting_points import starting_points

pytestmark = pytest.mark.stack

SAMPLES = [sample for n in range(20) for sample in traffic(n) if sample.topic == "compat.results"]
VALUES = {repr(sample.value).encode(): sample.value for sample in SAMPLES}


class Filing:
    """A topic of the test's own with one partition, its records, and a sink that files them."""

    def __init__(self, ground: Ground, engine: Engine) -> None:
        self.ground, self.engine, self.topic = ground, engine, f"{ground.name}-results"
        self.admin: AdminClient = clients.admin(ground.settings)
        self.other_cluster = ""
        self.anchors: list[Noted] = []
        ground.topics(self.topic, partitions=1)
        self.sink = self.new_sink()

    def new_sink(self, patience: float = 0.0) -> LivingTransaction:
        return LivingTransaction(PostgresTransaction(self.engine), self.engine, self.identify, patience)

    def identify(self, topics: Collection[str]) -> Mapping[str, Origin]:
        found = {name: Origin(*identity) for name, identity in identities(self.admin, topics).items()}
        return {n: o._replace(cluster_id=self.other_cluster or o.cluster_id) for n, o in found.items()}

    def recreate(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result(30)
        eventually(lambda: self.topic not in self.ground.names())
        self.ground.reader.forget(self.topic)
        self.ground.topics(self.topic, partitions=1)

    def write(self, first: int, last: int) -> None:
        self.ground.write(self.topic, [(b"k", value) for value in list(VALUES)[first:last]], partition=0)

    def rows(self) -> list[Row]:
        return [
            row_of(record, VALUES[record.value or b""], "CompatibilityChecked", MASKER)
            for record in self.ground.read(self.topic)
        ]

    def file(self) -> None:
        """What a sink does that takes the partition over, up to the end of the topic."""
        at = (self.topic, 0)
        start = self.start()
        rows = [row for row in self.rows() if row.offset >= start]
        self.sink.begin()
        self.sink.write(Entries(rows=rows), ())
        self.sink.advance({at: max([start, *(row.offset + 1 for row in rows)])})
        self.sink.commit()

    def start(self) -> int:
        """Where a loop starts with the sink."""
        at = (self.topic, 0)
        bounds, committed = self.bounds([at]), self.sink.committed([at])
        return starting_points("ledger", bounds, committed, self.sink.given_up, self.sink.way_on)[at]

    def bounds(self, partitions: Collection[At]) -> Mapping[At, tuple[int, int]]:
        return clients.bounds(self.admin, partitions)

    def taken_up(self, maintenance: Engine) -> list[Obstacle]:
        """All that keeps the sink from filing, and is taken up by this."""
        with writing(maintenance) as connection:
            found = obstacles(standing(connection), self.identify, self.bounds)
            chosen = confirmed(found, (), None, everything=True)
            take_up(connection, chosen)
        return chosen

    def file_late(self, rows: list[Row]) -> Committed:
        """What a repair does."""
        with writing(self.engine) as connection:
            committed = file_late(connection, (self.topic, 0), rows, {}, KEYS.pseudonyms, NOW)
        for at, head in committed.heads.items():
            event = anchor(*at, head, committed.positions[at], NOW, KEYS.anchors[-1]).record()
            self.anchors.append(Noted(len(self.anchors), event))
        return committed

    def compare(self, *before: str, identify: Identify | None = None) -> set[Kind]:
        """What the sink finds by itself, in topics `before` this one, and in this one."""
        topics = [Topic.model_construct(name=name, retention="days") for name in (*before, self.topic)]
        watch = Watch(self.engine, self.ground.settings, topics, identify or self.identify, 1.0)
        return {found.kind for found in watch.compare()}

    def is_whole(self) -> bool:
        with reading(self.engine) as connection:
            return verify_all(connection, self.anchors, KEYS.public, Window()).found == []

    def filed(self) -> list[tuple[int, int]]:
        with self.engine.begin() as connection:
            rows = connection.exec_driver_sql(
                'SELECT partition, "offset" FROM ledger.ledger_events ORDER BY abs(partition), "offset"'
            )
            return [(partition, offset) for partition, offset in rows]


@pytest.fixture
def filing(stack: Addresses, sink: Engine) -> Iterator[Filing]:
    ground = Ground(stack.bootstrap, stack.registry)
    yield Filing(ground, sink)
    ground.close()


def test_a_topic_that_was_created_anew_is_not_filed_until_somebody_takes_it_up(
    filing: Filing, maintenance: Engine
) -> None:
    """Its offsets begin again: below the old head everything would be skipped, and nobody would know."""
    filing.write(0, 5)
    filing.file()
    filing.recreate()
    filing.write(5, 8)
    for new in (filing.sink, filing.new_sink()):
        with pytest.raises(OriginChanged, match=r"deleted and created again.*take-up"):
            new.committed([(filing.topic, 0)])
    assert filing.compare() == set(), "its records are not those that the ledger was filed from"

    (change,) = filing.taken_up(maintenance)
    filing.file()

    assert change.topic == filing.topic
    assert filing.filed() == [*((0, n) for n in range(5)), *((numbering.of_life(0, 1), n) for n in range(3))]
    assert filing.is_whole()
    assert filing.compare() == set()


def test_a_sink_that_works_notices_too(filing: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again now and then, and files nothing more."""
    monkeypatch.setattr("processors.ledger.lives.LOOK_EVERY", 0.0)
    filing.write(0, 5)
    filing.file()
    filing.recreate()

    with pytest.raises(OriginChanged):
        filing.sink.begin()


def test_a_sink_waits_for_a_while_and_goes_on_by_itself(filing: Filing, maintenance: Engine) -> None:
    filing.write(0, 2)
    filing.file()
    filing.recreate()
    waiting, found = filing.new_sink(patience=60.0), dict[tuple[str, int], int]()
    thread = threading.Thread(target=lambda: found.update(waiting.committed([(filing.topic, 0)])))
    thread.start()
    filing.taken_up(maintenance)
    thread.join(30)

    assert not thread.is_alive()
    assert found == {}  # the new life begins at its beginning


def test_another_cluster_is_refused_by_its_id(filing: Filing) -> None:
    """A guard that was pointed elsewhere says so, whatever the offsets there are."""
    filing.write(0, 2)
    filing.file()
    filing.other_cluster = "another"

    with pytest.raises(OriginChanged, match="this is cluster another; correct GUARD_KAFKA__BOOTSTRAP"):
        filing.new_sink().committed([(filing.topic, 0)])
    with reading(filing.engine) as connection:
        noted = lives(connection)
    assert [change.topic for change in changes(noted, filing.identify(noted))] == [filing.topic]


def test_what_was_skipped_is_noticed_by_itself_and_filed_late(
    filing: Filing, superuser: psycopg.Connection
) -> None:
    """Somebody moves the next offset by three. The chain has no hole that would prove it; the topic does."""
    filing.write(0, 4)
    filing.file()
    assert filing.compare() == set()
    superuser.execute("UPDATE chain_head SET next_offset = next_offset + 3")
    filing.write(4, 10)
    with pytest.raises(Fenced):
        begin_and_advance(filing)
    filing.sink = filing.new_sink()
    filing.file()

    assert filing.compare() == filing.compare() == {Kind.MISSING}, "it is found again until it is repaired"
    assert [offset for _, offset in filing.filed()] == [0, 1, 2, 3, 7, 8, 9]
    skipped = [row for row in filing.rows() if 4 <= row.offset < 7]
    committed = filing.file_late(skipped)

    late = numbering.late(0, 1)
    assert committed.positions == {(filing.topic, late): 7}
    assert [at for at in filing.filed() if numbering.is_late(at[0])] == [(late, 4), (late, 5), (late, 6)]
    assert filing.compare() == set()
    assert filing.is_whole()
    with holding(filing.engine)([(filing.topic, 0)]) as due:  # the sink signs no late chain
        assert due.keys() == {(filing.topic, 0)}
    filing.write(10, 12)
    filing.file()  # the sink was not disturbed
    assert filing.compare() == set()


@pytest.mark.parametrize("timestamp", [-1, 2**60])
def test_what_was_skipped_is_filed_late_whatever_time_it_bears(
    filing: Filing, superuser: psycopg.Connection, timestamp: int
) -> None:
    """Whoever writes a record says when."""
    filing.write(0, 2)
    superuser.execute("INSERT INTO chain_head VALUES (%s, 0, 2, 0, %s, 0, '')", (filing.topic, bytes(32)))
    filing.file_late([replace(row, appended_at=timestamp) for row in filing.rows()])

    late = numbering.late(0, 1)
    assert filing.filed() == [(late, 0), (late, 1)]
    assert filing.is_whole()


def test_each_repair_has_a_chain_of_its_own(filing: Filing, superuser: psycopg.Connection) -> None:
    """It signs what it has made itself, and nothing that lay there. What was filed late before is a duplicate."""
    filing.write(0, 6)
    superuser.execute("INSERT INTO chain_head VALUES (%s, 0, 6, 0, %s, 0, '')", (filing.topic, bytes(32)))
    rows = filing.rows()
    for some in (rows[4:5], rows[5:6], rows[1:2], rows[4:5]):
        filing.file_late(some)

    first, second, third = (numbering.late(0, nth) for nth in (1, 2, 3))
    assert filing.filed() == [(first, 4), (second, 5), (third, 1)]
    assert filing.is_whole()


def test_what_the_sink_has_still_to_read_is_not_filed_late(filing: Filing, superuser: psycopg.Connection) -> None:
    """After a restore from an old dump it would be in the wrong chain for ever, and the right one would never
    verify again."""
    filing.write(0, 4)
    filing.file()
    superuser.execute("UPDATE chain_head SET next_offset = 6")
    filing.write(4, 8)

    filing.file_late([row for row in filing.rows() if row.offset >= 4])
    filing.file_late([row for row in filing.rows() if row.offset >= 6])

    late = numbering.late(0, 1)
    assert filing.filed() == [*((0, n) for n in range(4)), (late, 4), (late, 5)]
    filing.sink = filing.new_sink()
    filing.file()
    assert filing.filed()[4:6] == [(0, 6), (0, 7)]
    assert filing.is_whole()


def test_a_topic_whose_beginning_has_expired_is_compared_from_where_it_begins(filing: Filing) -> None:
    """Notifications leave after 30 days, and a sink that is migrated has compared nothing yet."""
    filing.write(0, 6)
    filing.file()
    filing.ground.forget_below(filing.topic, 0, 3)

    assert filing.compare("not-there-yet") == set()


def test_records_that_expired_unfiled_are_given_up_by_somebody_and_noted(
    filing: Filing, maintenance: Engine
) -> None:
    """As after a restore from a backup that is older than their retention."""
    filing.write(0, 6)
    filing.file()
    filing.write(6, 12)
    filing.ground.forget_below(filing.topic, 0, 9)
    with pytest.raises(OffsetsLost, match=r"stands at offset 6 .* begins at 9: 3 offsets .*ledger take-up"):
        filing.start()

    found = filing.taken_up(maintenance)
    filing.sink = filing.new_sink()
    filing.file()

    assert found == [Loss(filing.topic, 0, 6, 9)]
    assert filing.filed() == [(0, n) for n in (0, 1, 2, 3, 4, 5, 9, 10, 11)]
    assert filing.compare() == set()
    assert filing.is_whole()
    assert filing.taken_up(maintenance) == []
    with reading(maintenance) as connection:
        (loss,) = noted(connection)
    assert loss == GivenUp(filing.topic, 0, 0, 6, 8, loss.at, loss.by)


def test_what_expires_after_a_loss_was_given_up_is_another_loss(filing: Filing, maintenance: Engine) -> None:
    filing.write(0, 2)
    filing.file()
    filing.write(2, 12)
    losses: list[Obstacle] = []
    for low in (5, 9):
        filing.ground.forget_below(filing.topic, 0, low)
        losses += filing.taken_up(maintenance)

    assert losses == [Loss(filing.topic, 0, 2, 5), Loss(filing.topic, 0, 5, 9)]
    assert filing.start() == 9


def test_whoever_may_note_a_loss_hides_no_record_by_it(
    filing: Filing, maintenance: Engine, superuser: psycopg.Connection
) -> None:
    """What a topic still has is filed, and a loss says itself when it was noted, and by whom."""
    filing.write(0, 2)
    filing.file()
    filing.write(2, 6)
    columns = "ledger.losses (topic, partition, first, next_offset)"
    with writing(maintenance) as connection:
        note = f"INSERT INTO {columns} VALUES ('{filing.topic}', 0, 2, 9000000000000000000)"  # noqa: S608
        connection.exec_driver_sql(note)
    for forged in ("noted_at) VALUES ('t', 0, 1, 2, 'infinity')", "noted_by) VALUES ('t', 0, 1, 2, 'somebody')"):
        with pytest.raises(SettingsInvalid, match="permission denied"), writing(maintenance) as connection:
            connection.exec_driver_sql(f"INSERT INTO {columns[:-1]}, {forged}")

    filing.sink = filing.new_sink()
    filing.file()

    assert filing.filed() == [(0, n) for n in range(6)]


def test_a_log_that_ends_before_what_was_filed_begins_a_new_life(
    filing: Filing, maintenance: Engine, superuser: psycopg.Connection
) -> None:
    """Its next records get offsets that rows have already. Here the ledger is ahead, which looks the same."""
    filing.write(0, 6)
    filing.file()
    superuser.execute("UPDATE chain_head SET next_offset = 8")

    found = filing.taken_up(maintenance)
    filing.write(6, 9)
    filing.sink = filing.new_sink()
    filing.file()

    assert found == [Truncation(filing.topic, 0, 8, 6)]
    new = numbering.of_life(0, 1)
    assert filing.filed() == [*((0, n) for n in range(6)), (new, 6), (new, 7), (new, 8)]
    assert filing.compare() == set(), "what was filed before is a duplicate"
    assert filing.is_whole()
    assert filing.taken_up(maintenance) == []


def test_a_topic_that_cannot_be_compared_hides_no_other(filing: Filing, superuser: psycopg.Connection) -> None:
    filing.write(0, 4)
    filing.file()
    superuser.execute("UPDATE chain_head SET next_offset = next_offset + 1")
    filing.write(4, 6)

    def identify(topics: Collection[str]) -> Mapping[str, Origin]:
        return {"gone": Origin("c", "t"), **filing.identify(topics)}

    assert filing.compare("gone", identify=identify) == {Kind.MISSING}


def test_the_command_compares_with_no_other_topic(
    guarded: Addresses, database: str, superuser: psycopg.Connection
) -> None:
    """And repairs nothing by it."""
    noted = "INSERT INTO origins (topic, life, cluster_id, topic_id) VALUES ('compat.results', 0, 'c', 't')"
    superuser.execute(noted)
    command = (sys.executable, "-m", "processors.cli", "ledger", "reconcile", "--topic", "compat.results")
    environment = {**os.environ, **environment_of(guarded), "GUARD_POSTGRES__URL": database}
    done = subprocess.run([*command, "--repair"], env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, "was filed from cluster c, and this is cluster" in done.stderr) == (70, True), done


def begin_and_advance(filing: Filing) -> None:
    at = (filing.topic, 0)
    filing.sink.begin()
    try:
        filing.sink.write(Entries(rows=[replace(row) for row in filing.rows()]), ())
        filing.sink.advance({at: 10})
    finally:
        filing.sink.abort()
