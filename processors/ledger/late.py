"""Files records that were skipped when it was their turn, in separate chains.

A chain grows only at its end, so skipped records cannot take their places any more, and nothing may look as if they
had been there all the time. The number of a late chain shows that it is one; see numbering.py.

Each repair has its own chain and signs it itself: its hashes depend only on the rows that it has added. So our keys
never sign what somebody else has written there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from processors.errors import SettingsInvalid
from processors.ledger import chain, numbering
from processors.ledger.chain import Head
from processors.ledger.database import cursor_of, ensure_month
from processors.ledger.filing import At, file
from processors.ledger.people import file_people
from processors.ledger.records import Row, at_a_possible_time
from processors.ledger.transaction import Committed, move
from processors.ledger.verify import Inconsistency, Kind
from processors.masking.pseudonyms import PseudonymKeys


def late_chains(connection: Connection, at: At) -> list[At]:
    """The late chains of a chain, the first one first."""
    found = connection.execute(
        text("SELECT partition FROM ledger.chain_head WHERE topic = :topic AND partition < 0"), {"topic": at[0]}
    ).scalars()
    return [(at[0], number) for number in sorted(found, reverse=True) if numbering.on_time(number) == at[1]]


def file_late(
    connection: Connection, at: At, rows: Sequence[Row], people: Mapping[str, str], keys: PseudonymKeys, now: int
) -> Committed:
    """File rows that the chain `at` has skipped, in the order of their offsets. `connection` acts as the sink.

    Rows after the chain's next offset are left out: the sink has yet to file them. An event that was sent again
    since, and filed then, is a duplicate. Rows with an impossible time get `now`, in milliseconds. The caller
    publishes the anchor of the head before it commits. Raises SettingsInvalid if there are so many late chains that
    no number is left.
    """
    next_offset = _lock(connection, at)
    rows = [at_a_possible_time(row, now) for row in rows if row.offset < next_offset]
    if not rows:
        return Committed({}, {})
    for month in {datetime.fromtimestamp(row.appended_at / 1000, UTC).strftime("%Y-%m") for row in rows}:
        ensure_month(connection, datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC))
    late, head = _new_chain(connection, at), Head()
    cursor = cursor_of(connection)
    filed = file(cursor, [replace(row, partition=late[1]) for row in rows], {late: head})
    file_people(cursor, keys, people)
    positions = {late: rows[-1].offset + 1}
    move(cursor, positions, {late: head} | filed.heads)
    return Committed(positions, filed.heads)


def on_time_too(connection: Connection, at: At) -> Iterator[Inconsistency]:
    """Rows of the late chain `at` whose records were also filed on time: no repair has filed those."""
    query = (
        'SELECT e.sequence, e."offset" FROM ledger.ledger_events e WHERE e.topic = :topic AND e.partition = :late '
        "AND (EXISTS (SELECT FROM ledger.ledger_events o "
        'WHERE (o.topic, o.partition, o."offset") = (:topic, :number, e."offset")) '
        "OR EXISTS (SELECT FROM ledger.duplicates d "
        'WHERE (d.topic, d.partition, d."offset") = (:topic, :number, e."offset"))) ORDER BY e.sequence'
    )
    values = {"topic": at[0], "late": at[1], "number": numbering.on_time(at[1])}
    for sequence, offset in connection.execute(text(query), values):
        message = f"row {sequence} (offset {offset}) was filed late, and its record is filed on time as well"
        yield Inconsistency(Kind.LATE, *at, sequence, message)


def _lock(connection: Connection, at: At) -> int:
    """The chain's next offset, locked until the transaction ends, so that no two repairs of a chain run at a
    time."""
    query = "SELECT next_offset FROM ledger.chain_head WHERE topic = :topic AND partition = :number FOR UPDATE"
    return connection.execute(text(query), {"topic": at[0], "number": at[1]}).scalar_one_or_none() or 0


def _new_chain(connection: Connection, at: At) -> At:
    there = len(late_chains(connection, at))
    if there >= numbering.LATE_CHAINS:
        raise SettingsInvalid(f"{at[0]}/{at[1]} has {there} late chains, and no more can be numbered")
    new = (at[0], numbering.late(at[1], there + 1))
    connection.execute(
        text("INSERT INTO ledger.chain_head VALUES (:topic, :number, 0, 0, :hash, 0, '')"),
        {"topic": new[0], "number": new[1], "hash": chain.GENESIS},
    )
    return new
