"""Writes a batch of rows to the database: drops duplicates, chains the rest, copies it, folds current state.

Everything here runs inside the sink's transaction, on one psycopg cursor, and keeps nothing between batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import psycopg

from processors.ledger import chain, projections
from processors.ledger.chain import Batch, Head
from processors.ledger.records import COLUMNS, RECORDED, Row, as_conflict, as_refused, canonical_row

At = tuple[str, int]
Cursor = psycopg.Cursor[Any]


def columns_of(chains: Iterable[At]) -> tuple[list[str], list[int]]:
    """Chains as a statement takes them: one array for each column."""
    pairs = list(chains)
    return [topic for topic, _ in pairs], [partition for _, partition in pairs]


@dataclass(slots=True)
class Filed:
    """What became of a batch."""

    rows: list[Row] = field(default_factory=list[Row])
    duplicates: list[Row] = field(default_factory=list[Row])
    heads: dict[At, Head] = field(default_factory=dict[At, Head])


def file(cursor: Cursor, rows: Sequence[Row], heads: Mapping[At, Head]) -> Filed:
    """Append rows, in offset order within each chain, to the heads of their chains.

    The caller has locked all heads, and writes the new ones.
    """
    kept, duplicates = _sift(cursor, rows)
    kept, extensions = _write_all(cursor, kept, heads)
    _note_duplicates(cursor, duplicates)
    return Filed(kept, duplicates, {at: head for at, (head, _) in extensions.items()})


def _sift(cursor: Cursor, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows to keep, and duplicates. An event id that is taken by different content is a conflict, which is kept."""
    keyed = [(row, row.seen_key if row.same else "", row.same[:16].hex()) for row in rows]
    firsts: dict[str, tuple[Row, str]] = {}
    for row, key, same in keyed:
        if key:
            firsts.setdefault(key, (row, same))
    known = _remember(cursor, {key: same for key, (_, same) in firsts.items()}, rows)
    kept: list[Row] = []
    duplicates: list[Row] = []
    for row, key, _ in keyed:
        if not key or (key not in known and firsts[key][0] is row):
            kept.append(row)
        elif known.get(key, firsts[key][1]) in [noted[:16].hex() for noted in row.sames]:
            duplicates.append(row)
        else:
            kept.append(as_conflict(row))
    return kept, duplicates


def _remember(cursor: Cursor, firsts: Mapping[str, str], rows: Sequence[Row]) -> dict[str, str]:
    """Note the content of event ids, and return those that were noted before.

    Keys are sorted against deadlocks, and passed as one text, because arrays of 2,000 take the driver longer than
    the database.
    """
    keys = sorted(firsts)
    if not keys:
        return {}
    cursor.execute(
        "INSERT INTO ledger.event_seen (key, same, appended_at) SELECT key::uuid, same::uuid, %s "
        "FROM unnest(string_to_array(%s, ','), string_to_array(%s, ',')) AS seen(key, same) ON CONFLICT DO NOTHING",
        (
            _instant(max(row.appended_at for row in rows)),
            ",".join(keys),
            ",".join([firsts[key] for key in keys]),
        ),
    )
    if cursor.rowcount == len(keys):
        return {}
    cursor.execute(
        "SELECT key, same FROM ledger.event_seen WHERE key = ANY(string_to_array(%s, ',')::uuid[]) "
        "AND xmin <> pg_current_xact_id()::xid",  # not those that this transaction has noted
        (",".join(keys),),
    )
    return {key.hex: same.hex for key, same in cursor.fetchall()}


Extensions = dict[At, tuple[Head, Batch]]


def _write_all(cursor: Cursor, rows: list[Row], heads: Mapping[At, Head]) -> tuple[list[Row], Extensions]:
    """Rows that Postgres refuses, wherever they go, are found by bisection, and only their addresses are kept."""
    if not rows:
        return [], {}
    try:
        return rows, _write(cursor, rows, heads)
    except _REFUSALS as error:
        why = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    poison = set(bisect(rows, lambda some: _is_accepted(cursor, some, heads)))
    mended = [as_refused(row, why) if at in poison else row for at, row in enumerate(rows)]
    return mended, _write(cursor, mended, heads)


_REFUSALS: Final = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,  # such as a text that is too long for an index
    UnicodeError,
)


def _is_accepted(cursor: Cursor, rows: Sequence[Row], heads: Mapping[At, Head]) -> bool:
    try:
        with cursor.connection.transaction(force_rollback=True):
            _write(cursor, rows, heads)
    except _REFUSALS:
        return False
    return True


def _write(cursor: Cursor, rows: Sequence[Row], heads: Mapping[At, Head]) -> Extensions:
    """Everything that rows change, or nothing."""
    with cursor.connection.transaction():
        extensions = _copy_chained(cursor, rows, heads)
        _copy_findings(cursor, rows)
        _note_batches(cursor, extensions)
        _note_quarantine(cursor, rows)
        _fold(cursor, rows)
    return extensions


def bisect(rows: Sequence[Row], accepted: Callable[[Sequence[Row]], bool], start: int = 0) -> list[int]:
    """The indexes of the rows that are not accepted, in about `2 k log n` trials for k of n.

    Whether a row is accepted must not depend on the other rows.
    """
    if not rows or accepted(rows):
        return []
    if len(rows) == 1:
        return [start]
    middle = len(rows) // 2
    return bisect(rows[:middle], accepted, start) + bisect(rows[middle:], accepted, start + middle)


def copy_statement() -> bytes:
    """The COPY that takes `copy_lines`."""
    return _COPY


_NUMBERS = ("partition", "offset", "appended_at", "finding_codes", "value_digest", "payload")
"""Columns that need special encoding, in this order; the others are text."""

_COPY = (
    "COPY ledger.ledger_events ("
    + ", ".join(f'"{n}"' for n in (*_NUMBERS, *(c for c in COLUMNS if c not in _NUMBERS), "sequence", "row_hash"))
    + ") FROM STDIN"
).encode()


def _copy_chained(cursor: Cursor, rows: Sequence[Row], heads: Mapping[At, Head]) -> Extensions:
    extensions: Extensions = {}
    with cursor.copy(_COPY) as copy:
        for at, of_chain in _by_chain(rows).items():
            hashes, batch, head = chain.extend(heads[at], map(canonical_row, of_chain))
            extensions[at] = (head, batch)
            copy.write(copy_lines(of_chain, range(batch.first, batch.last + 1), hashes))  # Postgres works meanwhile
    return extensions


def insert_rows(cursor: Cursor, rows: Sequence[Row], places: Sequence[tuple[int, bytes]]) -> None:
    """Insert rows at their known places, with their findings. The chain must have been checked before."""
    with cursor.copy(_COPY) as copy:
        copy.write(copy_lines(rows, [sequence for sequence, _ in places], [hash_ for _, hash_ in places]))
    cursor.executemany(
        "INSERT INTO ledger.event_findings VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            (code, _instant(row.appended_at), row.topic, row.partition, row.offset)
            for row in rows
            for code in row.finding_codes
        ],
    )


def copy_lines(rows: Sequence[Row], sequences: Iterable[int], hashes: Iterable[bytes]) -> str:
    """Rows with their places in the chain as the text of `copy_statement`."""
    placed = zip(rows, sequences, hashes, strict=True)
    return "".join([f"{copy_line(row)}\t{sequence}\t\\\\x{hash_.hex()}\n" for row, sequence, hash_ in placed])


def _by_chain(rows: Sequence[Row]) -> dict[At, list[Row]]:
    chains: dict[At, list[Row]] = {}
    for row in rows:
        chains.setdefault((row.topic, row.partition), []).append(row)
    return chains


_TEXTS = tuple(name for name in COLUMNS if name not in _NUMBERS)
_texts = attrgetter(*_TEXTS)


def copy_line(row: Row) -> str:
    """The columns of a row as Postgres' COPY text, without a line end."""
    texts = _texts(row)
    given = "".join([text for text in texts if text is not None])
    escape = _plain if given.isprintable() and "\\" not in given else _escaped
    line = "\t".join(["\\N" if text is None else escape(text) for text in texts])
    payload = row.payload.replace("\\", "\\\\")  # the only character of canonical JSON that COPY escapes
    return (
        f"{row.partition}\t{row.offset}\t{_instant_text(row.appended_at)}\t{{{','.join(row.finding_codes)}}}"
        f"\t\\\\x{row.value_digest.hex()}\t{payload}\t{line}"
    )


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _plain(text: str) -> str:
    return text


@lru_cache(maxsize=4096)
def _instant_text(milliseconds: int) -> str:
    return _instant(milliseconds).isoformat(timespec="milliseconds")


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def _copy_findings(cursor: Cursor, rows: Sequence[Row]) -> None:
    lines = [
        f"{code}\t{_instant_text(row.appended_at)}\t{_escaped(row.topic)}\t{row.partition}\t{row.offset}\n"
        for row in rows
        for code in row.finding_codes
    ]
    if lines:
        with cursor.copy(
            'COPY ledger.event_findings (code, appended_at, topic, partition, "offset") FROM STDIN'
        ) as copy:
            copy.write("".join(lines))


def _note_batches(cursor: Cursor, extensions: Extensions) -> None:
    notes = [(*at, head.batches, *batch) for at, (head, batch) in extensions.items()]
    _insert(
        cursor, "batches", "topic, partition, number, first, last, root", notes, "text int8 int8 int8 int8 bytea"
    )


def _note_duplicates(cursor: Cursor, rows: Sequence[Row]) -> None:
    notes = [(row.topic, row.partition, row.offset, row.event_id, row.value_digest) for row in rows]
    columns = 'topic, partition, "offset", event_id, value_digest'
    _insert(cursor, "duplicates", columns, notes, "text int8 int8 text bytea")


def _note_quarantine(cursor: Cursor, rows: Sequence[Row]) -> None:
    notes = [
        (
            row.topic,
            row.partition,
            row.offset,
            row.event_id,
            row.reason or "",
            row.payload if row.kind == "Unreadable" else "",
        )
        for row in rows
        if row.status != RECORDED
    ]
    columns = 'topic, partition, "offset", event_id, reason, why'
    _insert(cursor, "quarantine", columns, notes, "text int8 int8 text text text")


def _insert(cursor: Cursor, table: str, columns: str, rows: Sequence[tuple[Any, ...]], types: str) -> None:
    if not rows:
        return
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types.split())
    query = f"INSERT INTO ledger.{table} ({columns}) SELECT * FROM unnest({arrays})"
    cursor.execute(query.encode(), [list(column) for column in zip(*rows, strict=True)])


def _fold(cursor: Cursor, rows: Sequence[Row]) -> None:
    """Update current state from the rows in the table."""
    recorded = sorted(
        (row for row in rows if row.status == RECORDED), key=attrgetter("topic", "partition", "offset")
    )
    spans = {
        topic: _spans(list(of_topic))
        for topic, of_topic in groupby(recorded, key=attrgetter("topic"))
        if projections.registers_of(topic)
    }
    for register in projections.REGISTERS:  # in the same order in every sink, against deadlocks
        if register.topic in spans:
            cursor.execute(projections.fold(register, projections.ONE_BATCH).encode(), spans[register.topic])


def _spans(rows: Sequence[Row]) -> dict[str, Any]:
    """The range of offsets of a batch in each partition of a topic. `rows` are sorted."""
    spans = [
        (partition, of_partition[0].offset, of_partition[-1].offset)
        for partition, of_partition in ((p, list(g)) for p, g in groupby(rows, key=attrgetter("partition")))
    ]
    partitions, firsts, lasts = (list(column) for column in zip(*spans, strict=True))
    times = [row.appended_at for row in rows]
    return {
        "partitions": partitions,
        "firsts": firsts,
        "lasts": lasts,
        "earliest": _instant(min(times)),
        "latest": _instant(max(times)),
    }
