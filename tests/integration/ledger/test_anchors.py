"""Anchors of sinks that share a real Postgres: in the order of the chain's growth, whoever has the partition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from examples.ledgers import KEYS, anchor_rows, commit, rows_of, started
from sqlalchemy import Engine

from processors.errors import BrokerUnavailable
from processors.ledger.anchoring import Anchoring, holding
from processors.ledger.anchors import Noted
from processors.ledger.database import reading
from processors.ledger.reading import Window
from processors.ledger.records import Row
from processors.ledger.samples import traffic
from processors.ledger.transaction import Entries, PostgresTransaction
from processors.ledger.verify import Inconsistency
from processors.ledger.whole import verify_all
from processors.stream.types import Outbound

pytestmark = pytest.mark.stack

RESULTS = [row for row in rows_of([s for n in range(60) for s in traffic(n)]) if row.topic == "compat.results"]
AT = ("compat.results", 0)


@dataclass
class World:
    """One ledger, its anchors' topic, and as many sinks as there were."""

    engine: Engine
    topic: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deaf: bool = False

    def publish(self, records: Sequence[Outbound]) -> None:
        self.topic += [json.loads(record.value or b"") for record in records]
        if self.deaf:
            raise BrokerUnavailable("records cannot be written: no answer in time")

    def sink(self, every: float) -> tuple[Anchoring, PostgresTransaction]:
        anchoring = Anchoring(
            holding(self.engine), lambda event: json.dumps(event).encode(), self.publish, KEYS.anchors[-1], every
        )
        return anchoring, started(self.engine, RESULTS, anchoring)

    def verify(self) -> list[Inconsistency]:
        published = [Noted(offset, event) for offset, event in enumerate(self.topic)]
        with reading(self.engine) as connection:
            return verify_all(connection, published, KEYS.public, Window()).found

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.topic]


@pytest.fixture
def world(sink: Engine) -> World:
    return World(sink)


def tick(transaction: PostgresTransaction, offset: int) -> None:
    """What the loop does in a quiet minute."""
    transaction.begin()
    transaction.write(Entries(), ())
    transaction.advance({AT: offset})
    transaction.commit()


def test_a_handover_leaves_the_ledger_whole(world: World) -> None:
    """The old owner publishes late, when it ends; the new one has gone on meanwhile."""
    old, first = world.sink(every=3600)
    commit(first, RESULTS[:10])
    commit(first, RESULTS[10:20])
    _, second = world.sink(every=3600)
    commit(second, RESULTS[20:40])
    old.publish_now()

    assert world.sequences == [10, 40, 40]
    filed = anchor_rows(world.topic)
    commit(started(world.engine, filed), filed)
    assert world.verify() == []


def test_the_last_rows_of_a_sink_that_was_killed_are_anchored(world: World) -> None:
    """Its successor finds a quiet chain, and says where it stands, once."""
    _, killed = world.sink(every=3600)
    commit(killed, RESULTS[:10])
    commit(killed, RESULTS[10:20])
    _, successor = world.sink(every=0.0)
    tick(successor, 20)
    tick(successor, 20)

    assert world.sequences == [10, 20]


def test_an_anchor_that_was_tried_twice_is_no_conflict(world: World, superuser: psycopg.Connection) -> None:
    """The broker had it, and its answer was lost."""
    world.deaf = True
    anchoring, transaction = world.sink(every=0.0)
    commit(transaction, RESULTS[:10])
    world.deaf = False
    anchoring.publish_now()
    filed: list[Row] = anchor_rows(world.topic)
    commit(started(world.engine, filed), filed)

    assert world.sequences == [10, 10]
    assert superuser.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
    assert world.verify() == []


def test_filing_goes_on_while_a_chain_is_anchored(world: World) -> None:
    """A broker that does not answer keeps the anchors back, and nothing else."""
    _, transaction = world.sink(every=3600)
    commit(transaction, RESULTS[:10])
    with holding(world.engine)([AT]) as held:
        commit(transaction, RESULTS[10:20])
        with holding(world.engine)([AT]) as held_too:
            assert held_too == {}
        assert held[AT].head.sequence == 10
    with holding(world.engine)([AT]) as held:
        assert held[AT].head.sequence == held[AT].next_offset == 20
