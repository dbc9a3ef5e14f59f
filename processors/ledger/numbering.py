"""The number of the chain for the records of a partition: the `partition` of its rows, anchors and head.

    3            partition 3 of a topic
    100003       the same after the topic was created again: offsets restart, and so does the chain
    -10000003    records of chain 3 that were skipped when it was their turn, and filed late
    -20000003    more of those, which a later repair has filed

So a chain only ever grows in the order of offsets, and the number of a row's chain shows whether it came late.
"""

from __future__ import annotations

from typing import Final

LIFE: Final = 100_000
"""More partitions than any topic has."""

_LATE: Final = 100 * LIFE

LIVES: Final = 100
"""How many times a topic can be taken up, its first time included."""

LATE_CHAINS: Final = 200
"""How many late chains one chain can have; the number of a chain has 31 bits."""


def of_life(partition: int, life: int) -> int:
    """The chain of a partition since the topic was created again for the `life`th time; 0 is the first one."""
    return life * LIFE + partition


def late(chain: int, nth: int) -> int:
    """The `nth` late chain of a chain, starting with 1."""
    return -(nth * _LATE + chain)


def is_late(chain: int) -> bool:
    return chain < 0


def on_time(chain: int) -> int:
    """The chain to which the records of a late chain should belong; any other chain itself."""
    return -chain % _LATE if chain < 0 else chain


def life_of(chain: int) -> int:
    return on_time(chain) // LIFE


def partition_of(chain: int) -> int:
    """The number of the partition in Kafka."""
    return on_time(chain) % LIFE
