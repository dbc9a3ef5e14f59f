"""The ledger: its sink beside a bare COPY of the same rows, how fast it is verified, how long a search takes."""

from __future__ import annotations

import itertools
import math
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import psycopg
from sqlalchemy import Connection, Engine, make_url

from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.ledger import chain, queries
from processors.ledger.database import connect, migrate, reading
from processors.ledger.filing import copy_lines, copy_statement
from processors.ledger.keys import new_keys
from processors.ledger.processor import Ledger
from processors.ledger.queries import Wanted
from processors.ledger.reading import Window, chains, read_chain, read_rows
from processors.ledger.records import Row, canonical_row
from processors.ledger.samples import story, traffic
from processors.ledger.transaction import Entries, PostgresTransaction
from processors.ledger.verify import verify
from processors.masking.masker import Masker
from processors.observability.collector import collector_eased
from processors.stream.types import Inbound, View
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
BATCH = 2000
PARTITIONS = 6


@dataclass
class Now:
    now: int


def records(count: int) -> Iterator[Inbound]:
    """What a broker would hand over: most requests pass by, every fiftieth is a whole case."""
    codec = CODEC
    encoders: dict[str, Callable[[Any], bytes]] = {}
    offsets: dict[tuple[str, int], int] = {}
    start = int(time.time() * 1000) - 3_600_000
    samples = (s for n in itertools.count() for s in (story(n) if n % 50 == 0 else traffic(n)))
    for number, sample in enumerate(itertools.islice(samples, count)):
        encode = encoders.setdefault(sample.topic, codec.encoder(sample.topic, sample.event))
        key = sample.key.encode()
        at = (sample.topic, partition_of(key, PARTITIONS))
        offsets[at] = offsets.get(at, -1) + 1
        yield Inbound(*at, offsets[at], start + number // 10, key, encode(sample.value))


def batches(count: int) -> Iterator[list[Inbound]]:
    """As a sink that catches up polls them: librdkafka hands over a partition's records together."""
    window = records(count)
    while some := list(itertools.islice(window, BATCH)):
        yield some


@contextmanager
def empty_ledger(url: str) -> Iterator[str]:
    """A database of its own beside the one of `url`."""
    admin, name = make_url(url), f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(admin.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.autocommit = True
        connection.execute(f"CREATE DATABASE {name}".encode())
        fresh = admin.set(database=name).render_as_string(hide_password=False)
        migrate(fresh)
        yield fresh
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@dataclass
class Sink:
    """The sink without its broker: decoding, masking, chaining, filing, committing."""

    engine: Engine
    handled: float = 0.0
    """Seconds spent before the database is asked for anything: decoding, masking, canonical texts."""

    def __post_init__(self) -> None:
        topics = load_topics(shipped("config") / "topics.yaml").topics
        self.processor = Ledger(CODEC, {t.name: t.event for t in topics}, Masker(new_keys().pseudonyms))
        self.transaction = PostgresTransaction(self.engine)
        self.transaction.committed([(t.name, n) for t in topics for n in range(PARTITIONS)])

    def take(self, batch: Sequence[Inbound]) -> list[Row]:
        view = cast(View, Now(int(time.time() * 1000)))
        started = time.perf_counter()
        outcome = cast(Entries, self.processor.handle(batch, view))
        self.handled += time.perf_counter() - started
        self.transaction.begin()
        self.transaction.write(outcome, ())
        self.transaction.advance({(r.topic, r.partition): r.offset + 1 for r in batch})
        self.transaction.commit()
        return outcome.rows


def bare_copy(connection: psycopg.Connection, rows: Sequence[Row]) -> float:
    """Seconds to COPY and commit rows that are written out already. The least that any sink must do."""
    text = copy_lines(rows, range(1, len(rows) + 1), [b"\0" * 32] * len(rows))
    started = time.perf_counter()
    with connection.cursor().copy(copy_statement()) as copy:
        copy.write(text)
    connection.commit()
    return time.perf_counter() - started


class Filed(NamedTuple):
    """Rows a second of a bare copy and of the sink, batch by batch in turn."""

    bare: float
    sink: float
    handle: float
    """Microseconds of a row in the sink before the database is asked for anything."""
    size: float
    """Bytes an event takes."""


def sink_beside_copy(url: str, count: int) -> Filed:
    with empty_ledger(url) as theirs, empty_ledger(url) as ours:
        engine = connect(ours, "guard_sink")
        sink = Sink(engine)
        plain = make_url(theirs).set(drivername="postgresql").render_as_string(hide_password=False)
        copied = filed = 0.0
        with psycopg.connect(plain) as bare, collector_eased():
            for number, batch in enumerate(batches(count)):
                started = time.perf_counter()
                rows = sink.take(batch)
                assert all(row.status == "recorded" for row in rows)
                spent = time.perf_counter() - started
                alone = bare_copy(bare, rows)
                if number:  # the first one warms up
                    copied, filed = copied + alone, filed + spent
        measured = count - BATCH
        size = _size(ours) / count
        engine.dispose()
    return Filed(measured / copied, measured / filed, sink.handled / count * 1e6, size)


def _size(url: str) -> int:
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as c:
        found = c.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname = 'ledger' AND relkind = 'r'"
        ).fetchone()
    assert found is not None
    return int(found[0])


@contextmanager
def filled_ledger(url: str, count: int) -> Iterator[Engine]:
    """A ledger of many events: the rows of a smaller number, with ids and times of their own, in whole chains."""
    with empty_ledger(url) as fresh:
        engine = connect(fresh, "guard_auditor")
        plain = make_url(fresh).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            _fill(connection, count)
        yield engine
        engine.dispose()


def _fill(connection: psycopg.Connection, count: int) -> None:
    topics = load_topics(shipped("config") / "topics.yaml").topics
    ledger = Ledger(CODEC, {t.name: t.event for t in topics}, Masker(new_keys().pseudonyms))
    view = cast(View, Now(int(time.time() * 1000)))
    template = cast(Entries, ledger.handle(list(records(20_000)), view)).rows
    head, offset = chain.Head(), 0
    for start in range(0, count, len(template)):
        shift = start // len(template)
        rows = [
            replace(
                row, topic="compat.results", partition=0, offset=start + n,
                appended_at=row.appended_at + shift * 50,
                event_id=f"{row.event_id[:30]}{shift:06d}", plugin_id=f"{row.plugin_id}-{shift % 20}",
                exception_id=row.exception_id and f"{row.exception_id[:30]}{shift:06d}",
                approval_id=row.approval_id and f"{row.approval_id[:30]}{shift:06d}",
                request_id=row.request_id and f"{row.request_id[:30]}{shift:06d}",
            )
            for n, row in enumerate(template)
        ]  # fmt: skip
        extension = chain.extend(head, map(canonical_row, rows))
        head = extension.head
        with connection.cursor().copy(copy_statement()) as copy:
            copy.write(copy_lines(rows, range(extension.batch.first, extension.batch.last + 1), extension.hashes))
        connection.execute(
            "INSERT INTO ledger.batches (topic, partition, number, first, last, root) "
            "VALUES (%s, 0, %s, %s, %s, %s)",
            ("compat.results", head.batches, *extension.batch),
        )
        connection.cursor().executemany(
            "INSERT INTO ledger.event_findings VALUES (%s, to_timestamp(%s / 1000.0), %s, 0, %s)",
            [(code, row.appended_at, row.topic, row.offset) for row in rows for code in row.finding_codes],
        )
        offset += len(rows)
    connection.execute(
        "INSERT INTO ledger.chain_head VALUES ('compat.results', 0, %s, %s, %s, %s, %s)",
        (offset, head.sequence, head.hash, head.batches, chain.pack(head.frontier)),
    )
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE ledger.ledger_events, ledger.event_findings")


def verified_a_second(engine: Engine) -> float:
    started, rows = time.perf_counter(), 0
    with reading(engine) as connection:
        for at in chains(connection, Window()):
            stretch = read_chain(connection, at, (), Window())
            found = list(verify(stretch.chain, read_rows(connection, stretch)))
            if found:
                raise RuntimeError(f"the ledger that is measured is not whole: {found[0]}")
            rows += stretch.chain.head.sequence
    return rows / (time.perf_counter() - started)


def search_p95(engine: Engine, searches: int = 200) -> dict[str, float]:
    """Milliseconds within which 95 of 100 searches of each kind were answered, ten events each."""
    dice = random.Random(1)
    with reading(engine) as connection:
        some = queries.search(connection, Wanted(), limit=2000)
        kinds = {
            name: [row[name] for row in some if row[name]]
            for name in (
                "plugin_id",
                "host_version",
                "approver",
                "approval_id",
                "exception_id",
                "operator",
                "band",
                "tenant",
            )
        }
        kinds["finding"] = ["HOST_TOO_OLD"]
        return {
            name: _p95([_timed(connection, name, dice.choice(values)) for _ in range(searches)])
            for name, values in kinds.items()
            if values
        }


def _timed(connection: Connection, name: str, value: str) -> float:
    wanted = Wanted(**{name: [value] if name in ("approver", "operator") else value})
    started = time.perf_counter()
    queries.search(connection, wanted, limit=10)
    return (time.perf_counter() - started) * 1000


def _p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]
