"""The ledger's transaction: rows, current state, chain heads and offsets are committed together in Postgres.

The row of a chain in `chain_head` is locked, and must contain the offset that this process left there. If it
contains another one, another process has the partition: this process is fenced, and has changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, Engine

from processors.errors import DatabaseUnavailable, Fenced
from processors.ledger import chain, losses, metrics
from processors.ledger.chain import Head
from processors.ledger.database import cursor_of, database_errors, ensure_month, reading, writing
from processors.ledger.filing import At, Cursor, Filed, columns_of, file
from processors.ledger.people import file_people
from processors.ledger.records import Row
from processors.masking.pseudonyms import PseudonymKeys
from processors.observability.metrics import LEDGER_FENCED
from processors.stream.types import Outbound, Outcome

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Entries(Outcome):
    """The ledger's outcome: rows instead of records."""

    rows: list[Row] = field(default_factory=list[Row])
    people: dict[str, str] = field(default_factory=dict[str, str])
    """Names by pseudonym that may not be filed yet. It is emptied when they are."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of a transaction: the next offsets, and the heads of the chains that grew."""

    positions: Mapping[At, int]
    heads: Mapping[At, Head]


AfterCommit = Callable[[Committed], None]


class Place(NamedTuple):
    """The position of a chain: the next offset, and the hash of its last row.

    The offset alone does not show whether somebody has inserted a row into a gap that Kafka leaves.
    """

    next_offset: int = 0
    hash: bytes = chain.GENESIS


class PostgresTransaction:
    """Satisfies `stream.transaction.Transaction`. One process, one instance, one transaction at a time.

    `after_commit` may fail without harm: it is called again after the next commit. With `keys`, the names of people
    are filed too, encrypted.
    """

    def __init__(
        self,
        engine: Engine,
        after_commit: AfterCommit = lambda _: None,
        patience: float = 5.0,
        keys: PseudonymKeys | None = None,
    ) -> None:
        self._engine, self._after_commit, self._patience, self._keys = engine, after_commit, patience, keys
        self._people = dict[str, str]()
        self._expected: dict[At, Place] = {}
        self._undecided: dict[At, Place] = {}
        self._months: set[str] = set()
        self._next_look = 0.0
        self._connection: Connection | None = None
        self._rows: list[Row] = []
        self._filed = Filed()
        self._positions: dict[At, int] = {}
        self._heads: Mapping[At, Head] = {}

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        """The next offsets in Postgres, which this process expects to find again. Waits out a short outage.

        Raises:
            DatabaseUnavailable: Postgres was unavailable for longer; may be called again.
        """
        until = time.monotonic() + self._patience
        while True:
            try:
                found = self._read_places(partitions)
                break
            except DatabaseUnavailable as error:
                metrics.waits(error)
                if time.monotonic() >= until:
                    raise
                time.sleep(0.5)
        metrics.waits(None)
        for at in partitions:
            self._expected[at] = found.get(at, Place())
        return {at: place.next_offset for at, place in found.items()}

    def _read_places(self, partitions: Sequence[At]) -> dict[At, Place]:
        with writing(self._engine) as connection:
            cursor = cursor_of(connection)
            cursor.execute(
                "SELECT topic, partition, next_offset, hash FROM ledger.chain_head "
                "JOIN unnest(%s::text[], %s::int[]) AS wanted(topic, partition) USING (topic, partition)",
                columns_of(partitions),
            )
            return {
                (topic, partition): Place(offset, bytes(hash_))
                for topic, partition, offset, hash_ in cursor.fetchall()
            }

    def given_up(self, partitions: Collection[At]) -> Mapping[At, int]:
        """Raises DatabaseUnavailable."""
        with reading(self._engine) as connection:
            noted = losses.given_up(connection)
        return {at: behind for at, behind in noted.items() if at in partitions}

    def way_on(self, partitions: Collection[At], to: str) -> str:  # noqa: ARG002 - the command finds out which
        return (
            "run `compat-guard ledger take-up`, which lists all that the ledger cannot file and says how to "
            "confirm it; then start the sink again"
        )

    def begin(self) -> None:
        with database_errors():
            self._connection = self._engine.connect()
            self._connection.begin()
        self._rows, self._filed, self._positions = [], Filed(), {}

    def write(self, outcome: Outcome, records: Sequence[Outbound]) -> None:  # noqa: ARG002 - nothing goes to topics
        if isinstance(outcome, Entries):
            self._rows, self._people = outcome.rows, outcome.people

    def advance(self, positions: Mapping[At, int]) -> None:
        """File the rows, and advance offsets and heads.

        Raises:
            Fenced: a chain is not at the position where this process left it.
            DatabaseUnavailable: nothing was changed; the same rows again.
        """
        self._make_months(_months(self._rows))
        with database_errors():
            cursor = cursor_of(self._open)
            heads = self._lock(cursor, sorted(positions))
            rows = [row for row in self._rows if row.offset >= self._expected[row.topic, row.partition].next_offset]
            self._filed = file(cursor, rows, heads)
            self._positions = {at: max(offset, self._expected[at].next_offset) for at, offset in positions.items()}
            self._heads = heads | self._filed.heads
            if self._keys is not None:
                file_people(cursor, self._keys, self._people)
            move(cursor, self._positions, self._heads)

    def commit(self) -> None:
        """Raises DatabaseUnavailable also if the outcome is unknown: the next transaction finds out."""
        self._undecided = {at: Place(offset, self._heads[at].hash) for at, offset in self._positions.items()}
        with database_errors():
            self._open.commit()
        self._expected |= self._undecided
        self._undecided = {}
        self._people.clear()
        self._close()
        metrics.count(self._filed)
        self._look_ahead()
        self._after_commit(Committed(self._positions, self._filed.heads))

    def abort(self) -> None:
        """Never fails: a lost connection has rolled back already."""
        try:
            if self._connection is not None:
                self._connection.rollback()
        except Exception:  # noqa: BLE001 - whatever the driver says, the next transaction takes a new connection
            self._engine.dispose()
        finally:
            self._close()

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise DatabaseUnavailable("no transaction is open")
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:  # noqa: BLE001 - a broken connection cannot be closed, only forgotten
                self._engine.dispose()

    def _lock(self, cursor: Cursor, chains: Sequence[At]) -> dict[At, Head]:
        """Lock the heads of some chains, in order, and check that each is at the position where we left it."""
        cursor.execute(
            "INSERT INTO ledger.chain_head (topic, partition, next_offset, sequence, hash, batches, frontier) "
            "SELECT topic, partition, 0, 0, %s, 0, '' "
            "FROM unnest(%s::text[], %s::int[]) AS wanted(topic, partition) ON CONFLICT DO NOTHING",
            (chain.GENESIS, *columns_of([at for at in chains if not self._expected.get(at, Place()).next_offset])),
        )
        cursor.execute(
            "SELECT topic, partition, next_offset, sequence, hash, batches, frontier FROM ledger.chain_head "
            "WHERE (topic, partition) IN (SELECT * FROM unnest(%s::text[], %s::int[])) "
            "ORDER BY topic, partition FOR UPDATE",
            columns_of(chains),
        )
        heads: dict[At, Head] = {}
        for topic, partition, offset, sequence, hash_, batches, frontier in cursor.fetchall():
            self._check((topic, partition), Place(offset, bytes(hash_)))
            heads[topic, partition] = Head(sequence, bytes(hash_), batches, chain.unpack(bytes(frontier)))
        return heads

    def _check(self, at: At, found: Place) -> None:
        """After a commit with unknown outcome there are two positions where the chain may be."""
        expected = self._expected.get(at, Place())
        if found == self._undecided.get(at):
            self._expected[at] = found
            return
        if found == expected:
            return
        LEDGER_FENCED.inc()
        if found.next_offset != expected.next_offset:
            raise Fenced(
                f"{at[0]}/{at[1]} stands at offset {found.next_offset} in the ledger, and this process left it at "
                f"{expected.next_offset}: another sink has the partition"
            )
        raise Fenced(
            f"{at[0]}/{at[1]} has another last row at offset {found.next_offset} than this process left there: "
            "somebody else has written to the ledger; compare it with the topic by `compat-guard ledger reconcile`"
        )

    def _make_months(self, months: Collection[str]) -> None:
        """In a separate transaction, before a chain is locked, so that nobody waits for us while we wait for a
        month."""
        for month in sorted(set(months) - self._months):
            with writing(self._engine) as connection:
                ensure_month(connection, datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC))
            self._months.add(month)

    def _look_ahead(self) -> None:
        """Create the month after these rows in advance; if that fails, again a minute later."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + 60.0
        try:
            self._make_months([_month_after(month) for month in sorted(_months(self._rows))[-1:]])
        except DatabaseUnavailable as error:
            _log.warning("the coming month cannot be made yet", message=str(error))


def _months(rows: Sequence[Row]) -> set[str]:
    hours = {row.appended_at // 3_600_000 for row in rows}
    return {datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m") for hour in hours}


def _month_after(month: str) -> str:
    return (datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC) + timedelta(days=31)).strftime("%Y-%m")


def move(cursor: Cursor, positions: Mapping[At, int], heads: Mapping[At, Head]) -> None:
    """Write locked heads, and the next offsets of their chains."""
    moves = [
        (*at, offset, heads[at].sequence, heads[at].hash, heads[at].batches, chain.pack(heads[at].frontier))
        for at, offset in sorted(positions.items())
    ]
    cursor.execute(
        "UPDATE ledger.chain_head h SET next_offset = m.next_offset, sequence = m.sequence, hash = m.hash, "
        "batches = m.batches, frontier = m.frontier, moved_at = now() "
        "FROM unnest(%s::text[], %s::int[], %s::int8[], %s::int8[], %s::bytea[], %s::int8[], %s::bytea[]) "
        "AS m(topic, partition, next_offset, sequence, hash, batches, frontier) "
        "WHERE (h.topic, h.partition) = (m.topic, m.partition)",
        [list(column) for column in zip(*moves, strict=True)],
    )
    if cursor.rowcount != len(moves):
        raise Fenced(f"{len(moves)} chain heads should have moved, and {cursor.rowcount} did")
