from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from processors.ledger.merkle import EMPTY, grow, node, path, root, root_from_path, root_of_frontier

LEAVES = [sha256(bytes([n])).digest() for n in range(40)]
sizes = st.integers(1, 40)


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(plain_root(leaves[:k]), plain_root(leaves[k:]))


@given(sizes)
def test_the_root_is_that_of_the_standard(size: int) -> None:
    """Level by level or by recursion, it is one tree."""
    assert root(LEAVES[:size]) == plain_root(LEAVES[:size])


@given(sizes, st.data())
def test_every_leaf_has_a_path_to_the_root(size: int, data: st.DataObject) -> None:
    """A path proves its leaf in its place, and no other leaf there."""
    index = data.draw(st.integers(0, size - 1))
    beside = path(LEAVES[:size], index)

    assert root_from_path(LEAVES[index], index, size, beside) == root(LEAVES[:size])
    assert root_from_path(sha256(b"other").digest(), index, size, beside) != root(LEAVES[:size])


@given(sizes, st.data())
def test_a_path_for_another_tree_leads_nowhere(size: int, data: st.DataObject) -> None:
    """Too short, too long or out of range: no root at all, or a wrong one."""
    index = data.draw(st.integers(0, size - 1))
    beside = path(LEAVES[:size], index)

    assert root_from_path(LEAVES[index], index, size, [*beside, EMPTY]) != root(LEAVES[:size])
    assert root_from_path(LEAVES[index], size, size, beside) is None


def test_a_frontier_grows_to_the_same_root() -> None:
    """The head keeps log n hashes, and knows the root at every size."""
    frontier: tuple[bytes, ...] = ()
    assert root_of_frontier(frontier) == root([]) == EMPTY
    for size, leaf in enumerate(LEAVES):
        frontier = grow(frontier, size, leaf)
        assert root_of_frontier(frontier) == root(LEAVES[: size + 1])
        assert len(frontier) == (size + 1).bit_count()
