"""Reads the ledger for the verifier: chains, their rows with the bytes that were hashed, batches, anchors."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from joserfc.jwk import KeySet
from psycopg import sql
from sqlalchemy import Connection, text

from processors.errors import NotAnchored, SettingsInvalid
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchors import NOWHERE, Anchor, Noted, is_overdue, is_signed, next_anchor, of_chain
from processors.ledger.chain import GENESIS, Batch, Head, leaf_of, roots_of, unpack
from processors.ledger.database import cursor_of
from processors.ledger.filing import At
from processors.ledger.numbering import partition_of
from processors.ledger.proof import prove
from processors.ledger.records import HASHED
from processors.ledger.verify import Chain, Pruned, StoredRow

_PRINTED = {
    "appended_at": "(extract(epoch FROM appended_at) * 1000)::bigint::text",
    "finding_codes": "array_to_json(finding_codes)::text",
    "value_digest": "'\"' || encode(value_digest, 'hex') || '\"'",
    "partition": "partition::text",
    "offset": '"offset"::text',
}
_FIELDS = [f"""'"{name}":' || {_PRINTED.get(name, f"to_json({name})::text")}""" for name in HASHED]
_CANONICAL = f"'{{' || concat_ws(',', {', '.join(_FIELDS)}) || E'}}\\n' || payload::text"
_STORED = f"SELECT sequence, \"offset\", convert_to({_CANONICAL}, 'UTF8'), row_hash FROM ledger.ledger_events "
_STORED_SQL = sql.SQL(_STORED)  # pyright: ignore[reportArgumentType] - made of our own names
"""A StoredRow.

Postgres prints the columns as canonical JSON does; a test compares it with records.canonical_row.
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the ledger: months of the broker's clock in milliseconds, one partition number, or
    everything. With `alone`, what lies before `since` is not read either to see whether all of it leads there: that
    takes as long as the ledger is large."""

    since: int | None = None
    until: int | None = None
    partition: int | None = None
    alone: bool = False


def chains(connection: Connection, window: Window, anchored: Iterable[At] = ()) -> list[At]:
    """All chains that the ledger knows, by head, row or batch, and those that were anchored.

    The anchored ones are those that the ledger itself or `anchored` names, so that neither a deleted head nor a
    whole deleted chain is missed.
    """
    if window.alone:
        found = connection.execute(text(_CHAINS_SINCE), {"anchors": LEDGER_ANCHORS, "since": window.since or 0})
    else:
        found = connection.execute(text(_CHAINS))
    known = {(topic, number) for topic, number in found} | set(anchored)
    return sorted(at for at in known if window.partition in (None, partition_of(at[1])))


_CHAINS: Final = (
    "SELECT topic, partition FROM ledger.chain_head UNION SELECT topic, partition FROM ledger.batches "
    "UNION SELECT DISTINCT topic, partition FROM ledger.ledger_events "
    "UNION SELECT topic, partition FROM ledger.pruned "
    "UNION SELECT DISTINCT payload->>'topic', (payload->>'partition')::int FROM ledger.ledger_events "
    "WHERE kind = 'LedgerAnchored' AND status = 'recorded'"
)
_SINCE: Final = "appended_at >= to_timestamp(CAST(:since AS float8) / 1000)"
_CHAINS_SINCE: Final = (
    "SELECT topic, partition FROM ledger.chain_head UNION SELECT topic, partition FROM ledger.pruned "
    f"UNION SELECT DISTINCT topic, partition FROM ledger.ledger_events WHERE {_SINCE} "
    "UNION SELECT DISTINCT payload->>'topic', (payload->>'partition')::int FROM ledger.ledger_events "
    f"WHERE topic = :anchors AND kind = 'LedgerAnchored' AND status = 'recorded' AND {_SINCE}"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A chain as the database states it, and the range of offsets whose rows are to be read."""

    chain: Chain
    after: int
    last: int | None


def read_chain(connection: Connection, at: At, anchors: Iterable[Anchor], window: Window) -> Stretch:
    """What the database says of a chain. A window that begins late trusts the row before its first one."""
    start, before, after = _start(connection, at, window.since)
    skipped = _batches_up_to(connection, at, start) if window.alone else 0
    read = Chain(
        topic=at[0],
        partition=at[1],
        head=_head(connection, at),
        start=start,
        before=before,
        batches=_batches(connection, at, skipped),
        skipped=skipped,
        pruned=_pruned(connection, at),
        anchors=[anchor for anchor in anchors if (anchor.topic, anchor.partition) == at],
        whole=window.until is None,
        now=_now(),
    )
    return Stretch(read, after, _last_before(connection, at, window.until))


_OF_CHAIN = "WHERE topic = :topic AND partition = :number "


def _values(at: At, **more: Any) -> dict[str, Any]:
    return {"topic": at[0], "number": at[1], **more}


def _head(connection: Connection, at: At) -> Head:
    query = f"SELECT sequence, hash, batches, frontier FROM ledger.chain_head {_OF_CHAIN}"
    found = connection.execute(text(query), _values(at)).one_or_none()
    return Head() if found is None else Head(found[0], bytes(found[1]), found[2], unpack(bytes(found[3])))


def _start(connection: Connection, at: At, since: int | None) -> tuple[int, bytes, int]:
    """The last row before those that are read: of a pruned month, or before the window."""
    query = (
        f"SELECT sequence, hash, -1 FROM ledger.pruned {_OF_CHAIN}"
        f'UNION ALL (SELECT sequence, row_hash, "offset" FROM ledger.ledger_events {_OF_CHAIN}'
        'AND appended_at < to_timestamp(CAST(:since AS float8) / 1000) ORDER BY "offset" DESC LIMIT 1) '
        "ORDER BY 1 DESC LIMIT 1"
    )
    found = connection.execute(text(query), _values(at, since=since or 0)).one_or_none()
    return (0, GENESIS, -1) if found is None else (found[0], bytes(found[1]), found[2])


def _pruned(connection: Connection, at: At) -> list[Pruned]:
    query = f"SELECT sequence, hash FROM ledger.pruned {_OF_CHAIN} ORDER BY sequence"
    return [Pruned(sequence, bytes(hash_)) for sequence, hash_ in connection.execute(text(query), _values(at))]


def _last_before(connection: Connection, at: At, until: int | None) -> int | None:
    if until is None:
        return None
    query = (
        f'SELECT coalesce(max("offset"), -1) FROM ledger.ledger_events {_OF_CHAIN}'
        "AND appended_at < to_timestamp(CAST(:until AS float8) / 1000)"
    )
    return connection.execute(text(query), _values(at, until=until)).scalar_one()


def _batches(connection: Connection, at: At, after: int = 0) -> list[Batch]:
    query = f"SELECT first, last, root FROM ledger.batches {_OF_CHAIN} AND number > :after ORDER BY number"
    found = connection.execute(text(query), _values(at, after=after))
    return [Batch(first, last, bytes(root)) for first, last, root in found]


def _batches_up_to(connection: Connection, at: At, row: int) -> int:
    """The number of the last batch that ends with this row or before. They are numbered from 1, and looked through
    from their end."""
    query = f"SELECT number FROM ledger.batches {_OF_CHAIN} AND last <= :row ORDER BY number DESC LIMIT 1"
    return connection.execute(text(query), _values(at, row=row)).scalar_one_or_none() or 0


def read_rows(connection: Connection, stretch: Stretch) -> Generator[StoredRow]:
    """The rows of a chain in the order of their offsets, as a stream: Postgres reads on while they are verified."""
    at = (stretch.chain.topic, stretch.chain.partition)
    last = 2**62 if stretch.last is None else stretch.last
    query = sql.SQL(
        "COPY ({stored} WHERE topic = {topic} AND partition = {number} "
        'AND "offset" > {after} AND "offset" <= {last} ORDER BY "offset") TO STDOUT (FORMAT BINARY)'
    ).format(stored=_STORED_SQL, topic=at[0], number=at[1], after=stretch.after, last=last)
    with cursor_of(connection).copy(query) as copy:
        copy.set_types(["int8", "int8", "bytea", "bytea"])
        for row in copy.rows():
            yield StoredRow(*row)


def ledger_anchors(connection: Connection, at: At, since: int = 0) -> list[Noted]:
    """The anchors of a chain in the ledger: those for pruned months, and those filed `since`.

    They prove something only together with those on the topic.
    """
    kept = connection.execute(
        text(f"SELECT anchor::text FROM ledger.pruned {_OF_CHAIN} AND anchor IS NOT NULL ORDER BY sequence"),
        _values(at),
    ).scalars()
    return [*(Noted(NOWHERE, json.loads(payload)) for payload in kept), *_filed_anchors(connection, at, since)]


SKEW: Final = 3_600_000
"""Milliseconds by which the clocks of brokers may differ."""


def _filed_anchors(connection: Connection, at: At, since: int) -> Generator[Noted]:
    """Oldest first, as a stream that must be closed. An index finds those of a chain."""
    query = (
        "SELECT \"offset\", payload::text FROM ledger.ledger_events WHERE topic = :anchors AND status = 'recorded' "
        "AND kind = 'LedgerAnchored' AND payload->>'topic' = :topic AND payload->>'partition' = :number "
        'AND appended_at >= to_timestamp(CAST(:since AS float8) / 1000) ORDER BY appended_at, "offset"'
    )
    values = {"anchors": LEDGER_ANCHORS, "topic": at[0], "number": str(at[1]), "since": max(0, since - SKEW)}
    with connection.execute(text(query), values, execution_options={"yield_per": 1000}) as found:
        for offset, payload in found:
            yield Noted(offset, json.loads(payload))


def exception_states(connection: Connection) -> dict[str, str]:
    """The state of every exception in the ledger, by its id."""
    found = connection.execute(text("SELECT exception_id, state FROM ledger.exceptions WHERE state IS NOT NULL"))
    return dict(found.tuples().all())


def prove_event(
    connection: Connection, event_id: str, published: Sequence[Noted], keys: KeySet, every: float = 60.0
) -> dict[str, Any]:
    """The inclusion proof of an event under the first anchor that covers it, filed or published.

    An anchor over batches that were cut differently since, after a restore, proves nothing about them; the next one
    does. Anchors come `every` so many seconds. Raises SettingsInvalid if there is no such event or if it is an
    anchor itself, and NotAnchored if no such anchor has come yet.
    """
    found = connection.execute(
        text(
            'SELECT topic, partition, "offset", sequence, (extract(epoch FROM appended_at) * 1000)::bigint '
            "FROM ledger.ledger_events WHERE event_id = :id ORDER BY status = 'recorded' DESC, appended_at LIMIT 1"
        ),
        {"id": event_id},
    ).one_or_none()
    if found is None:
        raise SettingsInvalid(f"event `{event_id}` is not in the ledger")
    at: At = (found[0], found[1])
    if at[0] == LEDGER_ANCHORS:
        raise SettingsInvalid(f"event `{event_id}` is an anchor, and nothing anchors the anchors")
    offset, sequence, appended_at = (int(value) for value in found[2:])
    batches = _batches(connection, at)
    number = next(n for n, batch in enumerate(batches) if batch.first <= sequence <= batch.last)
    rows = _rows_around(connection, at, offset, sequence, batches[number])
    roots = [f"sha256:{root.hex()}" for root in roots_of(batches)]
    with closing(_filed_anchors(connection, at, appended_at)) as filed:
        anchors = (anchor.event for anchor in chain(filed, of_chain(published, at)))
        covering = (e for e in anchors if number < e["batches"] <= len(batches))
        signed = next((e for e in covering if e["root"] == roots[e["batches"] - 1] and is_signed(e, keys)), None)
    if signed is None:
        raise _not_anchored(event_id, appended_at, next_anchor(published, every, now := _now()), every, now)
    row = next(row.canonical for row in rows if row.sequence == sequence)
    leaves = [leaf_of(row.canonical) for row in rows]
    return prove(row, sequence, leaves, batches[: signed["batches"]], number, signed)


def _not_anchored(event_id: str, appended_at: int, due: int, every: float, now: int) -> NotAnchored:
    said = f"event `{event_id}` is in the ledger, and no anchor covers it yet"
    if is_overdue(appended_at, every, now):
        since = f"{datetime.fromtimestamp(appended_at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
        more = f"it has waited since {since}; see whether the processor `ledger` runs"
    else:
        more = f"the next one comes at {datetime.fromtimestamp(due / 1000, UTC):%H:%M:%S} UTC; come again then"
    return NotAnchored(f"{said}: {more}", event_id, due)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _rows_around(connection: Connection, at: At, offset: int, sequence: int, batch: Batch) -> list[StoredRow]:
    """The rows of a batch, from the offset of one of them in both directions: offsets have an index."""
    query = (
        f'({_STORED} {_OF_CHAIN} AND "offset" < :offset ORDER BY "offset" DESC LIMIT :before) UNION ALL '
        f'({_STORED} {_OF_CHAIN} AND "offset" >= :offset ORDER BY "offset" LIMIT :behind) ORDER BY 1'
    )
    values = _values(at, offset=offset, before=sequence - batch.first, behind=batch.last - sequence + 1)
    found = connection.execute(text(query), values).all()
    if [number for number, *_ in found] != list(range(batch.first, batch.last + 1)):
        raise SettingsInvalid("rows beside the event are missing; see `compat-guard ledger verify`")
    return [StoredRow(number, offset, bytes(canonical), bytes(hash_)) for number, offset, canonical, hash_ in found]
