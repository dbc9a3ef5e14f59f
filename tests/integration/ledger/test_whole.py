"""Whether the newest rows are whole, for whoever waits for the answer; and how far the ledger is sealed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import psycopg
import pytest
from examples.ledgers import KEYS, NOW, anchor_rows, commit, rows_of, started
from sqlalchemy import Connection, Engine, text

from processors.ledger import side_tables, whole
from processors.ledger.anchors import Noted, anchor
from processors.ledger.database import reading
from processors.ledger.reading import Window, chains, read_chain
from processors.ledger.records import Row
from processors.ledger.samples import traffic
from processors.ledger.sealed import LOOKED_AT, Sealed, sealed
from processors.ledger.transaction import Committed
from processors.ledger.verify import Inconsistency, Kind
from processors.ledger.whole import Newest, newest_since, verify_newest

pytestmark = pytest.mark.stack

TOPIC = "compat.results"
ROWS = [row for row in rows_of([s for n in range(60) for s in traffic(n)]) if row.topic == TOPIC]
"""60 results, a millisecond apart."""


class Ledger:
    """60 rows of one chain in four batches, the first three of which are anchored."""

    def __init__(self, sink: Engine, root: psycopg.Connection) -> None:
        self.sink, self.root = sink, root
        self.published: list[Noted] = []
        transaction = started(sink, ROWS, self._anchor)
        for first in range(0, 60, 15):
            commit(transaction, ROWS[first : first + 15])

    def _anchor(self, committed: Committed) -> None:
        ((at, head),) = committed.heads.items()
        if head.sequence < 60:
            event = anchor(*at, head, committed.positions[at], NOW + head.sequence, KEYS.anchors[-1]).record()
            self.published.append(Noted(len(self.published), event))

    def file(self, rows: Sequence[Row]) -> None:
        commit(started(self.sink, rows), rows)

    def verify(self, since: int | None = None, within: float = 10.0) -> Newest:
        with reading(self.sink) as connection:
            return verify_newest(connection, self.published, KEYS.public, since, within)

    def sealed(self, most: int = LOOKED_AT) -> Sealed:
        with reading(self.sink) as connection:
            return sealed(connection, most)

    def tamper(self, statement: str) -> None:
        self.root.execute("SET session_replication_role = replica")
        self.root.execute(statement.encode())
        self.root.execute("SET session_replication_role = origin")


@pytest.fixture
def ledger(sink: Engine, superuser: psycopg.Connection) -> Ledger:
    return Ledger(sink, superuser)


def test_a_small_ledger_is_verified_in_whole(ledger: Ledger) -> None:
    with reading(ledger.sink) as connection:
        assert newest_since(connection, 60) is None
    newest = ledger.verify()
    assert (newest.complete, newest.since, newest.unread) == (True, None, ())
    assert newest.verified == (60, 3, [])


def test_of_a_larger_one_the_newest_rows_are(ledger: Ledger) -> None:
    with reading(ledger.sink) as connection:
        since = newest_since(connection, 20)
    assert since == NOW + 40
    assert ledger.verify(since).verified.rows == 20


def test_what_was_changed_among_them_is_found_and_what_lies_before_is_not_read(ledger: Ledger) -> None:
    ledger.tamper("UPDATE ledger_events SET band = 'LOW' WHERE sequence = 30")
    assert [wrong.kind for wrong in ledger.verify(NOW + 20).verified.found] == [Kind.BAD_HASH]
    assert ledger.verify(NOW + 40).verified.found == []


def test_a_tail_that_was_cut_off_is_missed_in_every_window(ledger: Ledger) -> None:
    ledger.tamper("DELETE FROM ledger_events WHERE sequence > 55")
    for since in (None, NOW + 50, NOW + 58):
        assert Kind.TAIL_TRUNCATED in {wrong.kind for wrong in ledger.verify(since).verified.found}


def test_a_verification_that_runs_out_of_time_says_what_it_did_not_reach(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never that the record is whole. The connection can be given up at any point."""
    clock = count(0, 3)
    monkeypatch.setattr(whole, "_LOOK_EVERY", 10)
    monkeypatch.setattr(whole, "monotonic", lambda: next(clock))
    newest = ledger.verify(within=10)
    assert (newest.complete, newest.verified.rows, newest.unread) == (False, 30, [(TOPIC, 0)])
    assert newest.verified.found == []
    monkeypatch.undo()
    assert ledger.verify().complete


def test_all_statements_of_a_verification_share_its_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those after the last look at the clock, each of which is short enough."""

    def slow(connection: Connection, window: Window) -> list[Inconsistency]:
        for _ in range(20):
            connection.execute(text("SELECT pg_sleep(0.4)"))
        return []

    monkeypatch.setattr(side_tables, "compare", slow)
    began = time.monotonic()
    newest = ledger.verify(within=1)
    assert (newest.complete, newest.verified.rows) == (False, 60)
    assert time.monotonic() - began < 4


def test_of_the_newest_rows_no_chain_is_looked_for_and_no_batch_read_before_them(ledger: Ledger) -> None:
    with reading(ledger.sink) as connection:
        newest = Window(since=NOW + 40, alone=True)
        assert chains(connection, newest) == [(TOPIC, 0)]
        chain = read_chain(connection, (TOPIC, 0), (), newest).chain
        assert (chain.start, chain.skipped) == (40, 2)
        assert [batch.first for batch in chain.batches] == [31, 46]
        assert len(read_chain(connection, (TOPIC, 0), (), Window(since=NOW + 40)).chain.batches) == 4


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM batches WHERE number = 3",
        "DELETE FROM batches WHERE number = 4",
        "UPDATE batches SET last = 99 WHERE number = 4",
        "UPDATE batches SET first = 50 WHERE number = 4",
        "UPDATE batches SET root = '' WHERE number = 4",
    ],
)
def test_a_batch_that_is_missing_or_changed_among_the_newest_is_found(ledger: Ledger, statement: str) -> None:
    ledger.tamper(statement)
    assert {wrong.kind for wrong in ledger.verify(NOW + 40).verified.found} == {Kind.BAD_ROOT}


def test_the_ledger_says_how_far_it_is_sealed(ledger: Ledger) -> None:
    before = ledger.sealed()
    assert (before.last, before.rows, before.anchored, before.open) == (None, 60, 0, 60)
    assert before.waiting_since == ROWS[0].appended_at

    ledger.file(anchor_rows([note.event for note in ledger.published]))

    after = ledger.sealed()
    assert after.last is not None
    assert (after.last.at, after.last.key_id) == (NOW + 45, KEYS.anchors[-1].kid)
    assert (after.rows, after.anchored, after.open) == (60, 45, 15)
    assert after.waiting_since == NOW + 46
    assert (after.seen, after.missing) == (63, 0)


@pytest.mark.parametrize(
    ("which", "missing"),
    [("sequence BETWEEN 20 AND 22", 3), ("sequence > 58", 2)],
    ids=["in the middle", "at the end"],
)
def test_rows_that_are_missing_are_counted(ledger: Ledger, which: str, missing: int) -> None:
    ledger.tamper(f"DELETE FROM ledger_events WHERE {which}")  # noqa: S608 - ours
    assert ledger.sealed().missing == missing


def test_rows_of_one_time_or_of_a_clock_that_went_back_are_no_gap(ledger: Ledger) -> None:
    """A broker gives a whole batch one time, and another broker's clock may be behind."""
    assert ledger.sealed(7)[3:5] == (7, 0)
    later = [replace(row, offset=60 + n, appended_at=NOW + 1_000 - n // 20) for n, row in enumerate(ROWS)]
    ledger.file([replace(row, event_id=f"later-{row.offset}") for row in later])
    for most in (7, 30, 50, 90):
        assert ledger.sealed(most)[3:5] == (most, 0)


def test_a_chain_whose_rows_are_all_gone_is_missing(ledger: Ledger) -> None:
    ledger.tamper("DELETE FROM ledger_events")
    assert ledger.sealed().missing == 60
