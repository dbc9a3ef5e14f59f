"""Merkle trees as in RFC 6962, section 2.1: a root for many leaves, and a short path that proves one of them.

Leaves are hashed already (with the prefix 0x00, see chain.py), so that no inner node can be taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over any number of leaves."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        pairs = [node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling nodes on the way from leaf `index` to the root, from the bottom."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path(leaves[:split], index), root(leaves[split:])]
    return [*path(leaves[split:], index - split), root(leaves[:split])]


def root_from_path(leaf: bytes, index: int, size: int, beside: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads; None if the path does not fit the index and the size of the tree."""
    if not 0 <= index < size:
        return None
    if size == 1:
        return leaf if not beside else None
    if not beside:
        return None
    split, last = _split(size), beside[-1]
    if index < split:
        left = root_from_path(leaf, index, split, beside[:-1])
        return None if left is None else node(left, last)
    right = root_from_path(leaf, index - split, size - split, beside[:-1])
    return None if right is None else node(last, right)


def grow(frontier: Sequence[bytes], size: int, leaf: bytes) -> tuple[bytes, ...]:
    """The frontier (roots of the full subtrees, largest first) of a tree of `size` leaves after one more leaf."""
    grown = [*frontier, leaf]
    while size % 2:
        right = grown.pop()
        grown.append(node(grown.pop(), right))
        size //= 2
    return tuple(grown)


def root_of_frontier(frontier: Sequence[bytes]) -> bytes:
    """The root of the tree that has this frontier."""
    if not frontier:
        return EMPTY
    top = frontier[-1]
    for left in reversed(frontier[:-1]):
        top = node(left, top)
    return top


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
