"""Compares topics with the ledger, and fills a gap in a chain with the very rows that were there.

A row is a function of its record, and the rows around a gap contain the hashes at its ends. So a missing row is
restored only if the chain itself proves that it is the old one. What never was in a chain is filed late, see
late.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from processors.ledger.chain import GENESIS, leaf_of, link
from processors.ledger.database import cursor_of
from processors.ledger.filing import At, insert_rows
from processors.ledger.numbering import is_late, life_of, partition_of
from processors.ledger.records import Row, as_conflict, canonical_row
from processors.stream.types import Inbound


class Kind(StrEnum):
    """How topic and ledger can differ."""

    MISSING = "MISSING"
    DIFFERENT = "DIFFERENT"
    UNFOUNDED = "UNFOUNDED"
    BEHIND = "BEHIND"
    STATE = "STATE"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its place, and its description.

    BEHIND is not an error: the sink has not filed these records yet. If an anchor says that it had, the records at
    the end of the chain are MISSING.
    """

    kind: Kind
    topic: str
    partition: int
    offset: int
    message: str


@dataclass(slots=True)
class Filed:
    """The ledger's content of a chain: the digests of values by offset, and the next offset that it expects.

    Rows up to offset `pruned` were removed with their months; rows up to `anchored` existed, according to a
    signature.
    """

    next_offset: int = 0
    digests: dict[int, bytes] = field(default_factory=dict[int, bytes])
    pruned: int = -1
    anchored: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets of one partition, from the first (inclusive) to the last (exclusive)."""

    partition: int
    first: int
    last: int


def filed(
    connection: Connection,
    topic: str,
    anchored: Mapping[At, int],
    life: int = 0,
    stretch: Stretch | None = None,
) -> dict[int, Filed]:
    """By partition: rows, and records that were dropped as duplicates, on time or late, in the present life.

    `anchored` are next offsets by anchors. With a `stretch`, only digests in that range.
    """
    chains = {
        partition_of(number): Filed(anchored=offset)
        for (name, number), offset in anchored.items()
        if name == topic and not is_late(number) and life_of(number) == life
    }
    heads = connection.execute(
        text(
            'SELECT partition, next_offset, coalesce(max(p."offset"), -1) FROM ledger.chain_head '
            "LEFT JOIN ledger.pruned p USING (topic, partition) WHERE topic = :topic GROUP BY 1, 2"
        ),
        {"topic": topic},
    ).all()
    for number, next_offset, pruned in heads:
        if not is_late(number) and life_of(number) == life:
            chain = chains.setdefault(partition_of(number), Filed())
            chain.next_offset, chain.pruned = next_offset, pruned
    for number, offset, digest in _digests(connection, topic, [number for number, *_ in heads], stretch):
        if life_of(number) == life:
            chains.setdefault(partition_of(number), Filed()).digests[offset] = digest
    return chains


def _digests(
    connection: Connection, topic: str, numbers: Iterable[int], stretch: Stretch | None
) -> Iterator[tuple[int, int, bytes]]:
    where, values = "topic = :topic", dict[str, Any](topic=topic)
    if stretch is not None:  # only the index of known chains finds their offsets
        of_partition = [number for number in numbers if partition_of(number) == stretch.partition]
        where += ' AND partition = ANY(:numbers) AND "offset" >= :first AND "offset" < :last'
        values |= {"numbers": of_partition, "first": stretch.first, "last": stretch.last}
    queries = [
        f'SELECT partition, "offset", value_digest FROM ledger.{table} WHERE {where}'
        for table in ("ledger_events", "duplicates")
    ]
    for number, offset, digest in connection.execute(text(" UNION ALL ".join(queries)), values):
        yield number, offset, bytes(digest)


@dataclass(slots=True)
class Comparison:
    """Takes the records of one topic, in order within each partition.

    It reports differences, and collects what is missing in the ledger.
    """

    chains: Mapping[int, Filed]
    compacted: bool
    missing: list[Inbound] = field(default_factory=list[Inbound])
    _seen: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    _behind: dict[At, list[int]] = field(default_factory=dict[At, list[int]])

    @property
    def has_begun(self) -> bool:
        """Whether it has got any record."""
        return bool(self._seen)

    def next_offset(self, partition: int) -> int:
        return self.chains[partition].next_offset if partition in self.chains else 0

    def compare(self, record: Inbound) -> Iterator[Difference]:
        chain = self.chains.get(record.partition) or Filed()
        self._seen.setdefault(record.partition, []).append(record.offset)
        known = chain.digests.get(record.offset)
        if record.offset >= chain.next_offset:
            self._behind.setdefault((record.topic, record.partition), []).append(record.offset)
        elif known is None and record.offset > chain.pruned:
            self.missing.append(record)
            yield _difference(Kind.MISSING, record, "is on the topic, and not in the ledger")
        elif known is not None and known != sha256(record.value or b"").digest():
            yield _difference(Kind.DIFFERENT, record, "has another value on the topic than in the ledger")

    def end(self, topic: str) -> Iterator[Difference]:
        """What is known once all records were seen."""
        for (name, partition), offsets in sorted(self._behind.items()):
            message = f"{len(offsets)} records from here on are not filed yet"
            yield Difference(Kind.BEHIND, name, partition, offsets[0], message)
        for partition, chain in sorted(self.chains.items()):
            if chain.next_offset < chain.anchored:
                message = f"the ledger ends here, and an anchor says that it has been at {chain.anchored}"
                yield Difference(Kind.MISSING, topic, partition, chain.next_offset, message)
        for partition, offsets in sorted(self._seen.items()):
            if self.compacted or partition not in self.chains:
                continue
            known, first, last = set(offsets), offsets[0], offsets[-1]
            for offset in sorted(self.chains[partition].digests):
                if first <= offset <= last and offset not in known:
                    yield Difference(
                        Kind.UNFOUNDED, topic, partition, offset, "is in the ledger, and not on the topic"
                    )


def _difference(kind: Kind, record: Inbound, message: str) -> Difference:
    return Difference(kind, record.topic, record.partition, record.offset, message)


def compare_states(
    topic: str, newest: Mapping[str, tuple[int, int, str]], kept: Mapping[str, str]
) -> Iterator[Difference]:
    """Exceptions whose state in the ledger is not the last one on the topic; `newest` holds partition, offset
    and state by exception."""
    for exception, (partition, offset, state) in sorted(newest.items()):
        if kept.get(exception) != state:
            said = kept.get(exception) or "nothing"
            message = f"exception {exception} is {state} on the topic, {said} in the ledger"
            yield Difference(Kind.STATE, topic, partition, offset, message)


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rows of a chain: their sequences, the hash before, and the hash that must result after.

    `next_leaf` and `next_hash` are those of the row after the gap; if there is none, `next_hash` is the head.
    """

    first: int
    last: int
    before: bytes
    after_offset: int
    until_offset: int
    next_leaf: bytes | None
    next_hash: bytes

    def holds(self, record: Inbound) -> bool:
        """Whether a record with this offset may have been in the gap."""
        return self.after_offset < record.offset < self.until_offset


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """A row that is still there."""

    sequence: int
    offset: int
    hash: bytes
    leaf: bytes


def gaps(rows: Iterable[Placed], last: int, head: bytes, start: int = 0, before: bytes = GENESIS) -> Iterator[Gap]:
    """The gaps of a chain of `last` rows whose head is known. `rows` in order of their sequence."""
    sequence, offset = start, -1
    for row in rows:
        if row.sequence > sequence + 1:
            yield Gap(sequence + 1, row.sequence - 1, before, offset, row.offset, row.leaf, row.hash)
        sequence, offset, before = row.sequence, row.offset, row.hash
    if sequence < last:
        yield Gap(sequence + 1, last, before, offset, 2**62, None, head)


def fill(gap: Gap, candidates: Sequence[Row]) -> list[tuple[int, bytes]] | None:
    """The places and hashes of the rows if they are the missing ones; None if they are not."""
    if len(candidates) != gap.last - gap.first + 1:
        return None
    placed: list[tuple[int, bytes]] = []
    last = gap.before
    for sequence, row in enumerate(candidates, gap.first):
        last = link(last, sequence, leaf_of(canonical_row(row)))
        placed.append((sequence, last))
    out = last if gap.next_leaf is None else link(last, gap.last + 1, gap.next_leaf)
    return placed if out == gap.next_hash else None


def restore(
    connection: Connection,
    found: Sequence[Gap],
    missing: Sequence[Inbound],
    readings: Sequence[Callable[[Inbound], Row]],
) -> list[Inbound]:
    """Restore missing rows where the chain proves them, and return their records.

    `readings` make rows of records, one for each pseudonym key that may have been current.
    """
    restored: list[Inbound] = []
    for gap in found:
        inside = [record for record in missing if gap.holds(record)]
        for read in readings:
            rows = [_as_filed(connection, read(record)) for record in inside]
            if (places := fill(gap, rows)) is not None:
                insert_rows(cursor_of(connection), rows, places)
                restored += inside
                break
    return restored


def _as_filed(connection: Connection, row: Row) -> Row:
    """The row as it was filed: as a conflict, if its id belongs to different content."""
    if not row.same:
        return row
    same = connection.execute(
        text("SELECT same::text FROM ledger.event_seen WHERE key = CAST(:key AS uuid)"), {"key": row.seen_key}
    ).scalar_one_or_none()
    return row if same in (None, *(_uuid_text(known) for known in row.sames)) else as_conflict(row)


def _uuid_text(same: bytes) -> str:
    digits = same[:16].hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def by_chain(records: Iterable[Inbound]) -> Iterator[tuple[At, list[Inbound]]]:
    def place(record: Inbound) -> tuple[str, int, int]:
        return record.topic, record.partition, record.offset

    for at, group in groupby(sorted(records, key=place), key=lambda r: (r.topic, r.partition)):
        yield at, list(group)
