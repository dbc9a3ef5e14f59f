"""The ledger as a verifier reads it: chains, their rows with the bytes that were hashed, batches, anchors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from joserfc.jwk import KeySet
from psycopg import sql
from sqlalchemy import Connection, text

from processors.errors import SettingsInvalid
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger import chain
from processors.ledger.anchors import Anchor, is_signed, read_anchor
from processors.ledger.chain import GENESIS, Batch, Head, leaf_of
from processors.ledger.database import cursor_of
from processors.ledger.filing import At
from processors.ledger.proof import prove
from processors.ledger.records import HASHED
from processors.ledger.verify import Chain, StoredRow

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
"""A StoredRow. Postgres prints the columns as canonical JSON does; a test holds it to records.canonical_row."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the ledger: months of the broker's clock in milliseconds, one partition number, or all."""

    since: int | None = None
    until: int | None = None
    partition: int | None = None


def chains(connection: Connection, window: Window) -> list[At]:
    """All chains that the ledger knows of: by head, by row or by batch, so that a deleted head hides nothing."""
    found = connection.execute(
        text(
            "SELECT topic, partition FROM ledger.chain_head UNION SELECT topic, partition FROM ledger.batches "
            "UNION SELECT DISTINCT topic, partition FROM ledger.ledger_events ORDER BY 1, 2"
        )
    )
    return [(topic, number) for topic, number in found if window.partition in (None, number)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A chain as the database states it, and the offsets between which its rows are to be read."""

    chain: Chain
    after: int
    last: int | None


def read_chain(connection: Connection, at: At, anchors: Iterable[Anchor], window: Window) -> Stretch:
    """What the database says of a chain. A window that begins late trusts the row before its first one."""
    start, before, after = _start(connection, at, window.since)
    read = Chain(
        topic=at[0],
        partition=at[1],
        head=_head(connection, at),
        start=start,
        before=before,
        batches=_batches(connection, at),
        anchors=[anchor for anchor in anchors if (anchor.topic, anchor.partition) == at],
        whole=window.until is None,
    )
    return Stretch(read, after, _last_before(connection, at, window.until))


_OF_CHAIN = "WHERE topic = :topic AND partition = :number "


def _values(at: At, **more: Any) -> dict[str, Any]:
    return {"topic": at[0], "number": at[1], **more}


def _head(connection: Connection, at: At) -> Head:
    query = f"SELECT sequence, hash, batches, frontier FROM ledger.chain_head {_OF_CHAIN}"
    found = connection.execute(text(query), _values(at)).one_or_none()
    return Head() if found is None else Head(found[0], bytes(found[1]), found[2], chain.unpack(bytes(found[3])))


def _start(connection: Connection, at: At, since: int | None) -> tuple[int, bytes, int]:
    """The last row before those that are read: of a month that was taken out, or before the window."""
    query = (
        f"SELECT sequence, hash, -1 FROM ledger.pruned {_OF_CHAIN}"
        f'UNION ALL (SELECT sequence, row_hash, "offset" FROM ledger.ledger_events {_OF_CHAIN}'
        'AND appended_at < to_timestamp(CAST(:since AS float8) / 1000) ORDER BY "offset" DESC LIMIT 1) '
        "ORDER BY 1 DESC LIMIT 1"
    )
    found = connection.execute(text(query), _values(at, since=since or 0)).one_or_none()
    return (0, GENESIS, -1) if found is None else (found[0], bytes(found[1]), found[2])


def _last_before(connection: Connection, at: At, until: int | None) -> int | None:
    if until is None:
        return None
    query = (
        f'SELECT coalesce(max("offset"), -1) FROM ledger.ledger_events {_OF_CHAIN}'
        "AND appended_at < to_timestamp(CAST(:until AS float8) / 1000)"
    )
    return connection.execute(text(query), _values(at, until=until)).scalar_one()


def _batches(connection: Connection, at: At) -> list[Batch]:
    query = f"SELECT first, last, root FROM ledger.batches {_OF_CHAIN} ORDER BY number"
    found = connection.execute(text(query), _values(at))
    return [Batch(first, last, bytes(root)) for first, last, root in found]


def read_rows(connection: Connection, stretch: Stretch) -> Iterator[StoredRow]:
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


def ledger_anchors(connection: Connection) -> list[dict[str, Any]]:
    """The anchors that the ledger has filed, oldest first. They only bind together with those on the topic."""
    found = connection.execute(
        text(
            "SELECT payload::text FROM ledger.ledger_events WHERE topic = :topic AND status = 'recorded' "
            "AND kind = 'LedgerAnchored' ORDER BY partition, \"offset\""
        ),
        {"topic": LEDGER_ANCHORS},
    )
    return [json.loads(payload) for (payload,) in found]


def exception_states(connection: Connection) -> dict[str, str]:
    """The state of every exception as the ledger knows it, by its id."""
    found = connection.execute(text("SELECT exception_id, state FROM ledger.exceptions WHERE state IS NOT NULL"))
    return dict(found.tuples().all())


def judged(
    filed: Iterable[Mapping[str, Any]], published: Iterable[Mapping[str, Any]], keys: KeySet
) -> list[Anchor]:
    """Anchors in the order of their publication. The newest of each chain on the topic comes last, filed or not."""
    known: set[str] = set()
    anchors: list[Anchor] = []
    for event in filed:
        known.add(event["anchor_id"])
        anchors.append(read_anchor(event, len(anchors), keys))
    newest = {anchor_key(event): event["anchor_id"] for event in published}
    for event in published:
        if event["anchor_id"] not in known or event["anchor_id"] == newest[anchor_key(event)]:
            anchors.append(read_anchor(event, len(anchors), keys))
    return anchors


def anchor_key(event: Mapping[str, Any]) -> At:
    return event["topic"], event["partition"]


def prove_event(
    connection: Connection, event_id: str, anchors: Sequence[Mapping[str, Any]], keys: KeySet
) -> dict[str, Any]:
    """The inclusion proof of an event under the first anchor that covers it.

    Raises SettingsInvalid if there is no such event, or no anchor yet.
    """
    found = connection.execute(
        text(
            "SELECT topic, partition, sequence FROM ledger.ledger_events WHERE event_id = :id "
            "ORDER BY status = 'recorded' DESC, appended_at LIMIT 1"
        ),
        {"id": event_id},
    ).one_or_none()
    if found is None:
        raise SettingsInvalid(f"event `{event_id}` is not in the ledger")
    at: At = (found[0], found[1])
    sequence: int = found[2]
    batches = _batches(connection, at)
    number = next(n for n, batch in enumerate(batches) if batch.first <= sequence <= batch.last)
    signed = next((a for a in _of_chain(anchors, at) if a["batches"] > number and is_signed(a, keys)), None)
    if signed is None:
        raise SettingsInvalid(f"event `{event_id}` is not anchored yet; anchors are published about once a minute")
    rows = _rows_of(connection, at, batches[number])
    row = rows[sequence - batches[number].first].canonical
    leaves = [leaf_of(row.canonical) for row in rows]
    return prove(row, sequence, leaves, batches[: signed["batches"]], number, signed)


def _of_chain(anchors: Iterable[Mapping[str, Any]], at: At) -> list[Mapping[str, Any]]:
    return sorted((a for a in anchors if anchor_key(a) == at), key=lambda a: cast(int, a["sequence"]))


def _rows_of(connection: Connection, at: At, batch: Batch) -> list[StoredRow]:
    query = (
        f"{_STORED} WHERE topic = :topic AND partition = :number "
        "AND sequence BETWEEN :first AND :last ORDER BY sequence"
    )
    found = connection.execute(text(query), _values(at, first=batch.first, last=batch.last)).all()
    if len(found) != batch.last - batch.first + 1:
        raise SettingsInvalid("rows beside the event are missing; see `compat-guard ledger verify`")
    return [StoredRow(number, offset, bytes(canonical), bytes(hash_)) for number, offset, canonical, hash_ in found]
