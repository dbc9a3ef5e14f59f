"""Records that were skipped when it was their turn, filed in a chain of their own that says so.

A chain grows only at its end, so what was skipped cannot be put into its place any more, and nothing may look as if
it had been there all the time. The number of a late chain tells every reader; see numbering.py.

Each repair has a chain of its own and signs it itself: its hashes stand on nothing but the rows that it has made.
So no key of ours ever signs what somebody else has written there.
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
from processors.ledger.records import Row
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
    connection: Connection, at: At, rows: Sequence[Row], people: Mapping[str, str], keys: PseudonymKeys
) -> Committed:
    """File rows that the chain `at` has skipped, in the order of their offsets. `connection` acts as the sink.

    What lies behind the chain's next offset is left out: the sink has still to file it, in its place. An event that
    has come again since, and was filed then, is a duplicate. The caller publishes the anchor of the head before it
    commits. Raises SettingsInvalid where there are so many late chains that no number is left.
    """
    next_offset = _lock(connection, at)
    rows = [row for row in rows if row.offset < next_offset]
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
    """Rows of the late chain `at` whose records were filed when it was their turn: no repair has filed those."""
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
    """The chain's next offset, which stays so until the transaction ends. No two repairs of a chain at a time."""
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
