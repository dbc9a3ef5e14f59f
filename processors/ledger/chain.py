"""The hash chain: each row commits to the one before, so that one hash stands for all rows up to it.

    leaf      = sha256(0x00 || canonical row)
    row hash  = sha256(0x01 || row hash before || sequence, 8 bytes || leaf)

There is one chain for each partition of each topic. Two Merkle trees are built on its leaves: one over the rows of
a batch, and one over all batches of the chain, whose root is signed together with the head. So a short proof leads
from one row to a signature, and a long one over the whole chain proves that nothing is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple

from processors.ledger import merkle

GENESIS = bytes(32)
"""The hash before the first row."""


def leaf_of(row: bytes) -> bytes:
    """The leaf of a canonical row (see records.py)."""
    return sha256(b"\x00" + row).digest()


def link(before: bytes, sequence: int, leaf: bytes) -> bytes:
    return sha256(b"\x01" + before + sequence.to_bytes(8, "big") + leaf).digest()


class Batch(NamedTuple):
    """The rows of one transaction in one chain, `first` to `last`, and the root over their leaves."""

    first: int
    last: int
    root: bytes


def batch_leaf(batch: Batch) -> bytes:
    """The leaf of a batch in the tree over all batches."""
    return sha256(b"\x02" + batch.first.to_bytes(8, "big") + batch.last.to_bytes(8, "big") + batch.root).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a chain: how many rows, the last row's hash, and the frontier of the tree over its batches."""

    sequence: int = 0
    hash: bytes = GENESIS
    batches: int = 0
    frontier: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        return merkle.root_of_frontier(self.frontier)


class Extension(NamedTuple):
    """A chain after a batch: the hash of each row, in order, the batch's record, and the head."""

    hashes: list[bytes]
    batch: Batch
    head: Head


def extend(head: Head, rows: Iterable[bytes]) -> Extension:
    """Append canonical rows to a head as one batch. There must be at least one."""
    leaves = [leaf_of(row) for row in rows]
    hashes: list[bytes] = []
    last = head.hash
    for sequence, leaf in enumerate(leaves, head.sequence + 1):
        last = link(last, sequence, leaf)
        hashes.append(last)
    batch = Batch(head.sequence + 1, head.sequence + len(leaves), merkle.root(leaves))
    return Extension(hashes, batch, replace(with_batch(head, batch), sequence=batch.last, hash=last))


def with_batch(head: Head, batch: Batch) -> Head:
    """The tree over the batches plus one; sequence and hash stay."""
    grown = merkle.grow(head.frontier, head.batches, batch_leaf(batch))
    return replace(head, batches=head.batches + 1, frontier=grown)


def roots_of(batches: Iterable[Batch]) -> list[bytes]:
    """The root over the batches up to each of them."""
    heads = accumulate(batches, with_batch, initial=Head())
    return [head.root for head in heads][1:]


def pack(hashes: Sequence[bytes]) -> bytes:
    return b"".join(hashes)


def unpack(packed: bytes) -> tuple[bytes, ...]:
    """The 32-byte hashes in the result of `pack`."""
    return tuple(packed[at : at + 32] for at in range(0, len(packed), 32))
