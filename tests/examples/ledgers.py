"""A ledger in a test: samples as rows of one partition each, and commits of them."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from examples import commands
from sqlalchemy import Engine, make_url

from processors.embedded.postgres import programs
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.filing import At
from processors.ledger.keys import new_keys
from processors.ledger.records import Row, row_of
from processors.ledger.samples import Sample
from processors.ledger.transaction import AfterCommit, Entries, PostgresTransaction
from processors.masking.masker import Masker
from processors.stream.types import Inbound

NOW = int(time.time() * 1000)
KEYS = new_keys()
MASKER = Masker(KEYS.pseudonyms)


def rows_of(samples: Sequence[Sample], start: int = 0, partition: int = 0, at: int = NOW) -> list[Row]:
    """The samples as one partition of each topic holds them, a millisecond apart."""
    offsets: dict[str, int] = {}
    rows: list[Row] = []
    for sample in samples:
        offset = offsets.get(sample.topic, start)
        offsets[sample.topic] = offset + 1
        value = repr(sample.value).encode()
        record = Inbound(sample.topic, partition, offset, at + offset, sample.key.encode(), value)
        rows.append(row_of(record, sample.value, sample.event, MASKER))
    return rows


def anchor_rows(anchors: Sequence[Mapping[str, Any]], start: int = 0) -> list[Row]:
    """Anchors as the ledger files them, at the time that they bear."""
    return [
        row_of(
            Inbound(LEDGER_ANCHORS, 0, offset, event["at"], b"", json.dumps(event).encode()),
            event,
            "LedgerAnchored",
            MASKER,
        )
        for offset, event in enumerate(anchors, start)
    ]


def commit(transaction: PostgresTransaction, rows: Sequence[Row]) -> dict[At, int]:
    """What the loop does with a batch; the positions behind it."""
    positions = {(row.topic, row.partition): row.offset + 1 for row in rows}
    transaction.begin()
    transaction.write(Entries(rows=list(rows)), ())
    transaction.advance(positions)
    transaction.commit()
    return positions


def started(sink: Engine, rows: Sequence[Row], after_commit: AfterCommit = lambda _: None) -> PostgresTransaction:
    """A transaction that has the partitions of these rows."""
    transaction = PostgresTransaction(sink, after_commit)
    transaction.committed(sorted({(row.topic, row.partition) for row in rows}))
    return transaction


def restored(server: str, dump: Path, name: str, *, roles: bool = True) -> str:
    """The URL of a database of which there is only the dump, restored on another server as deploy/POSTGRES.md says.

    Without the roles that its owners and grants need, if `roles` says so.
    """
    place = make_url(server).set(database=name).render_as_string(False)
    if roles:
        made = commands.run(
            "ledger", "migrate", "--roles", environment={**os.environ, "GUARD_POSTGRES__URL": place}
        )
        assert made.returncode == 0, made.stderr
    url = make_url(server).set(database="postgres", drivername="postgresql").render_as_string(False)
    strictly = ["--exit-on-error"] if roles else []
    command = [programs() / "pg_restore", "--create", *strictly, f"--dbname={url}", dump]
    subprocess.run(command, check=roles, capture_output=not roles)
    return place


def replaced(database: str, dump: Path) -> None:
    """Restore a dump in the place of a database, on the same server, and leave it as old as it is."""
    url = make_url(database).set(drivername="postgresql")
    with psycopg.connect(url.set(database="postgres").render_as_string(False), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {url.database} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {url.database}".encode())
    subprocess.run(
        [programs() / "pg_restore", "--exit-on-error", f"--dbname={url.render_as_string(False)}", dump], check=True
    )
