"""Current state made anew from the events, to be compared with what has grown, or put in its place.

Events of months that were taken out are not there to be folded: what they decided stands as it is.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from processors.ledger.projections import REGISTERS, TABLES, WHOLE_LEDGER, fold, keep


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of a table that the events do not lead to, and rows that they lead to and that are missing."""

    table: str
    unfounded: int
    missing: int


def compare(connection: Connection) -> list[Difference]:
    """Where current state and events disagree; empty if nowhere. Changes nothing; the transaction must be one that
    sees one state of the database throughout, as `database.frozen` opens it."""
    differences: list[Difference] = []
    for table in TABLES:
        with _fresh(connection, table) as fresh:
            unfounded = _count(connection, f"ledger.{table}", fresh)
            missing = _count(connection, fresh, f"ledger.{table}")
        if unfounded or missing:
            differences.append(Difference(table, unfounded, missing))
    return differences


def rebuild(connection: Connection) -> None:
    """Put what the events lead to in the place of current state. The sink waits meanwhile."""
    for table in TABLES:
        connection.execute(text(f"LOCK TABLE ledger.{table} IN EXCLUSIVE MODE"))
    for table in TABLES:
        with _fresh(connection, table) as fresh:
            connection.execute(text(f"DELETE FROM ledger.{table}"))
            connection.execute(text(f"INSERT INTO ledger.{table} SELECT * FROM {fresh}"))


@contextmanager
def _fresh(connection: Connection, table: str) -> Generator[str]:
    """A table of what the events lead to, for as long as it is needed: a rebuild is compared in one transaction."""
    name = f"pg_temp.fresh_{table}"
    connection.execute(text(f"CREATE TEMP TABLE fresh_{table} (LIKE ledger.{table} INCLUDING ALL) ON COMMIT DROP"))
    for register in (register for register in REGISTERS if register.table == table):
        connection.execute(text(keep(register, name)), {"retired": _retired(connection)})
        connection.exec_driver_sql(fold(register, WHOLE_LEDGER, into=name))
    yield name
    connection.execute(text(f"DROP TABLE {name}"))


def _retired(connection: Connection) -> int:
    """The end of the last month that was taken out, in milliseconds. Months leave in order."""
    query = (
        "SELECT coalesce(extract(epoch FROM to_date(max(month), 'YYYY_MM') + interval '1 month') * 1000, 0) "
        "FROM ledger.retired_months"
    )
    return int(connection.execute(text(query)).scalar_one())


def _count(connection: Connection, one: str, other: str) -> int:
    query = f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other}) AS difference"
    return connection.execute(text(query)).scalar_one()
