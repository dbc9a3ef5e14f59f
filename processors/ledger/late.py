"""Records that were skipped when it was their turn, filed in a chain of their own that says so.

A chain grows only at its end, so what was skipped cannot be put into its place any more, and nothing may look as if
it had been there all the time. The number of a late chain tells every reader; see numbering.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    An event that has come again since, and was filed then, is a duplicate. Raises SettingsInvalid where there are
    so many late chains that no number is left.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('late ' || :topic || :number, 0))"),
        {"topic": at[0], "number": str(at[1])},
    )
    for month in {datetime.fromtimestamp(row.appended_at / 1000, UTC).strftime("%Y-%m") for row in rows}:
        ensure_month(connection, datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC))
    late, head = _open_chain(connection, at, rows[0].offset)
    cursor = cursor_of(connection)
    filed = file(cursor, [replace(row, partition=late[1]) for row in rows], {late: head})
    file_people(cursor, keys, people)
    positions = {late: rows[-1].offset + 1}
    move(cursor, positions, {late: head} | filed.heads)
    return Committed(positions, filed.heads)


def _open_chain(connection: Connection, at: At, offset: int) -> tuple[At, Head]:
    """The last late chain where it ends before `offset`, else a new one; its head is locked."""
    there = late_chains(connection, at)
    if there:
        next_offset, sequence, hash_, batches, frontier = connection.execute(
            text(
                "SELECT next_offset, sequence, hash, batches, frontier FROM ledger.chain_head "
                "WHERE topic = :topic AND partition = :number FOR UPDATE"
            ),
            {"topic": at[0], "number": there[-1][1]},
        ).one()
        if next_offset <= offset:
            return there[-1], Head(sequence, bytes(hash_), batches, chain.unpack(bytes(frontier)))
    if len(there) >= numbering.LATE_CHAINS:
        raise SettingsInvalid(f"{at[0]}/{at[1]} has {len(there)} late chains, and no more can be numbered")
    new = (at[0], numbering.late(at[1], len(there) + 1))
    connection.execute(
        text("INSERT INTO ledger.chain_head VALUES (:topic, :number, 0, 0, :hash, 0, '')"),
        {"topic": new[0], "number": new[1], "hash": chain.GENESIS},
    )
    return new, Head()
