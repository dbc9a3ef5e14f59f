"""Verifies a chain and reports every inconsistency, never only the first.

Pure: rows, batches and anchors are passed in as they were read, in the order of their offsets. The verifier does
not know how they were written; it recomputes everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from processors.events.topics import LEDGER_ANCHORS
from processors.ledger import merkle
from processors.ledger.anchors import NOWHERE, Anchor
from processors.ledger.chain import GENESIS, Batch, Head, leaf_of, link, with_batch
from processors.ledger.numbering import is_late


class Kind(StrEnum):
    """What can be wrong with a chain."""

    GAP = "GAP"
    BAD_HASH = "BAD_HASH"
    BAD_ROOT = "BAD_ROOT"
    REORDERED = "REORDERED"
    EXTRA_ROW = "EXTRA_ROW"
    TAIL_TRUNCATED = "TAIL_TRUNCATED"
    ANCHOR_MISMATCH = "ANCHOR_MISMATCH"
    ANCHOR_REPLAYED = "ANCHOR_REPLAYED"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    PRUNED_EARLY = "PRUNED_EARLY"
    SIDE_TABLE = "SIDE_TABLE"
    TOPIC_CHANGED = "TOPIC_CHANGED"
    LATE = "LATE"


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """One inconsistency: its kind, its place, and its description."""

    kind: Kind
    topic: str
    partition: int
    sequence: int
    message: str


class StoredRow(NamedTuple):
    """A row as stored: its place, the canonical bytes of its columns, and its hash."""

    sequence: int
    offset: int
    canonical: bytes
    hash: bytes


class Pruned(NamedTuple):
    """The last row of a chain in a pruned month."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What the database says of a chain besides its rows. `start` and `before`: the row before the first one read.

    `batches` are all there ever were, also those of pruned months, whose ends are `pruned`; or all but so many
    `skipped` ones, which are not compared with the tree over all of them. `whole` is false if
    rows at the end were left out by date. `now` is the verifier's clock, in milliseconds.
    """

    topic: str
    partition: int
    head: Head
    start: int = 0
    before: bytes = GENESIS
    batches: Sequence[Batch] = ()
    skipped: int = 0
    anchors: Sequence[Anchor] = ()
    pruned: Sequence[Pruned] = ()
    whole: bool = True
    now: int = 0


def verify(chain: Chain, rows: Iterable[StoredRow]) -> Iterator[Inconsistency]:
    """Every inconsistency of a chain. Reads the rows once, in order, and keeps the leaves of only one batch."""
    walk = _Walk(chain, {anchor.sequence: b"" for anchor in chain.anchors if anchor.signed})
    for row in rows:
        yield from walk.step(row)
    yield from walk.end()
    yield from _verify_batches(chain)
    yield from _verify_anchors(chain, walk)
    yield from _verify_late(chain, walk.expected - 1)
    yield from _verify_pruned(chain)


@dataclass(slots=True)
class _Walk:
    chain: Chain
    hashes: dict[int, bytes]
    """Row hashes at the anchored sequences; filled while the rows are read."""

    expected: int = 0
    before: bytes = b""
    offset: int = -1
    extra: int = 0
    suspect: bool = False
    leaves: list[bytes] = field(default_factory=list[bytes])
    next_batch: int = 0

    def __post_init__(self) -> None:
        self.expected, self.before = self.chain.start + 1, self.chain.before
        while self.next_batch < len(self.chain.batches) and self._batch.last < self.expected:
            self.next_batch += 1

    @property
    def _batch(self) -> Batch:
        return self.chain.batches[self.next_batch]

    def step(self, row: StoredRow) -> Iterator[Inconsistency]:
        sequence, offset, canonical, stored = row
        if self.chain.whole and sequence > self.chain.head.sequence:
            self.extra += 1
            return
        leaf = leaf_of(canonical)
        if sequence != self.expected:
            yield self._misplaced(sequence)
            self.suspect = True
        elif link(self.before, sequence, leaf) != stored:
            yield self._wrong(Kind.BAD_HASH, sequence, f"row {sequence} (offset {offset}) is not what was hashed")
            self.suspect = True
        if sequence >= self.expected:
            if sequence in self.hashes:
                self.hashes[sequence] = stored
            self.before, self.expected = stored, sequence + 1
        yield from self._climb(sequence, leaf)

    def _misplaced(self, sequence: int) -> Inconsistency:
        if sequence > self.expected:
            missing = f"{self.expected}" + (f" to {sequence - 1}" if sequence - 1 > self.expected else "")
            return self._wrong(Kind.GAP, self.expected, f"missing before row {sequence}: {missing}")
        return self._wrong(Kind.REORDERED, sequence, f"row {sequence} comes after row {self.expected - 1}")

    def _climb(self, sequence: int, leaf: bytes) -> Iterator[Inconsistency]:
        """Collect the leaves of the current batch, and compare its root when it ends."""
        if self.next_batch >= len(self.chain.batches):
            return
        if sequence >= self._batch.first:
            self.leaves.append(leaf)
        while self.next_batch < len(self.chain.batches) and sequence >= self._batch.last:
            batch, complete = self._batch, len(self.leaves) == self._batch.last - self._batch.first + 1
            if complete and not self.suspect and merkle.root(self.leaves) != batch.root:
                yield self._wrong(
                    Kind.BAD_ROOT, batch.first, f"rows {batch.first} to {batch.last} have another root"
                )
            self.leaves, self.suspect, self.next_batch = [], False, self.next_batch + 1

    def end(self) -> Iterator[Inconsistency]:
        head, last = self.chain.head, self.expected - 1
        if not self.chain.whole:
            return
        if self.extra:
            yield self._wrong(
                Kind.EXTRA_ROW, head.sequence + 1, f"{self.extra} rows lie behind row {head.sequence}, the last one"
            )
        if last < head.sequence:
            yield self._wrong(
                Kind.TAIL_TRUNCATED, last, f"the chain ends at row {last}, and its head says {head.sequence}"
            )
        elif self.before != head.hash:
            yield self._wrong(Kind.BAD_HASH, last, f"the head has another hash than row {last}")

    def _wrong(self, kind: Kind, sequence: int, message: str) -> Inconsistency:
        return Inconsistency(kind, self.chain.topic, self.chain.partition, sequence, message)


def _verify_batches(chain: Chain) -> Iterator[Inconsistency]:
    """The batches must cover the chain without gaps, and lead to the head's root, which the next anchor signs.

    The root of each batch is compared with its rows while they are read. Where earlier ones were skipped, the
    others must only be as many as the head says.
    """
    if chain.skipped:
        yield from _verify_newest_batches(chain)
        return
    head, last = Head(), 0
    for batch in chain.batches:
        if batch.first != last + 1:
            message = f"a batch ends at row {last}, and the next begins at row {batch.first}"
            yield Inconsistency(Kind.BAD_ROOT, chain.topic, chain.partition, batch.first, message)
        head, last = with_batch(head, batch), batch.last
    if (head.batches, head.frontier) != (chain.head.batches, chain.head.frontier):
        message = f"{head.batches} batches lead to another root than the head's of {chain.head.batches}"
        yield Inconsistency(Kind.BAD_ROOT, chain.topic, chain.partition, last, message)


def _verify_newest_batches(chain: Chain) -> Iterator[Inconsistency]:
    for before, batch in pairwise(chain.batches):
        if batch.first != before.last + 1:
            message = f"a batch ends at row {before.last}, and the next begins at row {batch.first}"
            yield Inconsistency(Kind.BAD_ROOT, chain.topic, chain.partition, batch.first, message)
    first = chain.batches[0].first if chain.batches else chain.start + 1
    if first > chain.start + 1:
        message = f"rows {chain.start + 1} to {first - 1} are in no batch"
        yield Inconsistency(Kind.BAD_ROOT, chain.topic, chain.partition, chain.start + 1, message)
    last = chain.batches[-1].last if chain.batches else chain.start
    if last != chain.head.sequence:
        message = f"the batches end at row {last}, and the head says {chain.head.sequence}"
        yield Inconsistency(Kind.BAD_ROOT, chain.topic, chain.partition, last, message)
    there = chain.skipped + len(chain.batches)
    if there != chain.head.batches:
        message = f"there are {there} batches, and the head says {chain.head.batches}"
        yield Inconsistency(Kind.BAD_ROOT, chain.topic, chain.partition, chain.start, message)


def _verify_anchors(chain: Chain, walk: _Walk) -> Iterator[Inconsistency]:
    """Compares only the hash of the last row, which depends on the records alone and covers all rows before it.

    The root depends on how transactions were cut, and a restored ledger has cut them differently.
    """

    def wrong(kind: Kind, anchor: Anchor, message: str) -> Inconsistency:
        return Inconsistency(kind, chain.topic, chain.partition, anchor.sequence, message)

    published = _Published()
    for anchor in sorted(chain.anchors, key=lambda anchor: anchor.place):
        if not anchor.signed:
            yield wrong(Kind.BAD_SIGNATURE, anchor, f"no known key signed the anchor at row {anchor.sequence}")
            continue
        if (newer := published.replayed(anchor)) is not None:
            came = f"came after one at row {newer.sequence}"
            yield wrong(Kind.ANCHOR_REPLAYED, anchor, f"the anchor at row {anchor.sequence} {came}")
        last = walk.expected - 1
        if anchor.sequence > last:
            if chain.whole:
                yield wrong(
                    Kind.TAIL_TRUNCATED,
                    anchor,
                    f"row {anchor.sequence} was anchored, and the chain ends at row {last}",
                )
        elif (found := walk.hashes.get(anchor.sequence)) and found != anchor.head:
            yield wrong(Kind.ANCHOR_MISMATCH, anchor, f"row {anchor.sequence} was anchored with another hash")


def _verify_late(chain: Chain, last: int) -> Iterator[Inconsistency]:
    """A repair signs its late chain before it commits. So somebody else has written an unsigned late row."""
    signed = max((anchor.sequence for anchor in chain.anchors if anchor.signed), default=0)
    if is_late(chain.partition) and chain.whole and last > max(signed, chain.start):
        message = f"rows {max(signed, chain.start) + 1} to {last} were filed late, and no repair has signed them"
        yield Inconsistency(Kind.LATE, chain.topic, chain.partition, last, message)


OVERTAKING: Final = 600_000
"""Milliseconds by which an anchor may be late, because it was delayed while another sink published a newer one."""


@dataclass(slots=True)
class _Published:
    """Anchors of a chain in the order of publication.

    An anchor after a newer one was delayed if it is new and was signed shortly before. No two are alike, so one
    that was there already, or is old, is a replay.
    """

    seen: set[str] = field(default_factory=set[str])
    newest: Anchor | None = None

    def replayed(self, anchor: Anchor) -> Anchor | None:
        """The newer anchor that came before, if this one is a replay. Anchors of unknown place are not judged."""
        if anchor.place == NOWHERE:
            return None
        newest, again = self.newest, anchor.id in self.seen
        self.seen.add(anchor.id)
        if newest is None or anchor.sequence >= newest.sequence:
            self.newest = anchor
            return None
        return newest if again or newest.at - anchor.at > OVERTAKING else None


YEAR: Final = 365 * 86_400_000


def _verify_pruned(chain: Chain) -> Iterator[Inconsistency]:
    """Pruned rows must have existed a year ago, and only a signature can prove it: the database's owner can
    write anything into `pruned`. The chain of the anchors themselves is not signed."""
    if chain.topic == LEDGER_ANCHORS:
        return
    signed = {anchor.sequence: anchor for anchor in chain.anchors if anchor.signed}
    proved = max((a.sequence for a in signed.values() if a.at <= chain.now - YEAR), default=0)
    for sequence, hash_ in chain.pruned:
        if sequence > proved:
            message = f"rows up to {sequence} were taken out, and no anchor of a year ago covers them"
            yield Inconsistency(Kind.PRUNED_EARLY, chain.topic, chain.partition, sequence, message)
        elif sequence in signed and signed[sequence].head != hash_:
            message = f"row {sequence} was taken out, and had been anchored with another hash"
            yield Inconsistency(Kind.ANCHOR_MISMATCH, chain.topic, chain.partition, sequence, message)
