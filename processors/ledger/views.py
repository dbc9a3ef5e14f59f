"""Folds current state again from the events, to compare it with the present one or to replace it.

Events of pruned months cannot be folded: what they set is kept.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from processors.ledger.projections import REGISTERS, TABLES, WHOLE_LEDGER, fold, keep


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of a table that do not follow from the events, and rows that follow from them and are missing."""

    table: str
    unfounded: int
    missing: int


def compare(connection: Connection) -> list[Difference]:
    """Differences between current state and events; empty if there are none. Changes nothing.

    The transaction must have one consistent snapshot of the database, as `database.frozen` opens it.
    """
    differences: list[Difference] = []
    for table in TABLES:
        with _fresh(connection, table) as fresh:
            unfounded = _count(connection, f"ledger.{table}", fresh)
            missing = _count(connection, fresh, f"ledger.{table}")
        if unfounded or missing:
            differences.append(Difference(table, unfounded, missing))
    return differences


def rebuild(connection: Connection) -> None:
    """Replace current state by what follows from the events. The sink waits meanwhile."""
    for table in TABLES:
        connection.execute(text(f"LOCK TABLE ledger.{table} IN EXCLUSIVE MODE"))
    for table in TABLES:
        with _fresh(connection, table) as fresh:
            connection.execute(text(f"DELETE FROM ledger.{table}"))
            connection.execute(text(f"INSERT INTO ledger.{table} SELECT * FROM {fresh}"))


@contextmanager
def _fresh(connection: Connection, table: str) -> Generator[str]:
    """A temporary table of what follows from the events."""
    name = f"pg_temp.fresh_{table}"
    connection.execute(text(f"CREATE TEMP TABLE fresh_{table} (LIKE ledger.{table} INCLUDING ALL) ON COMMIT DROP"))
    for register in (register for register in REGISTERS if register.table == table):
        connection.execute(text(keep(register, name)), {"retired": _retired(connection)})
        connection.exec_driver_sql(fold(register, WHOLE_LEDGER, into=name))
    yield name
    connection.execute(text(f"DROP TABLE {name}"))


def _retired(connection: Connection) -> int:
    """The end of the last pruned month, in milliseconds. Months are pruned in order."""
    query = (
        "SELECT coalesce(extract(epoch FROM to_date(max(month), 'YYYY_MM') + interval '1 month') * 1000, 0) "
        "FROM ledger.retired_months"
    )
    return int(connection.execute(text(query)).scalar_one())


def _count(connection: Connection, one: str, other: str) -> int:
    query = f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other}) AS difference"
    return connection.execute(text(query)).scalar_one()
