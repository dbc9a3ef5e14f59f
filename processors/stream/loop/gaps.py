"""Stretches at the ends of logs without a record: markers of transactions, and records that were aborted.

A group's position is the one after its last record, before the marker of the transaction that wrote it. Once all
of that has expired, the log begins behind the position, and nobody could tell that nothing was lost. So positions
are moved past such a stretch with the next commit.
"""

from __future__ import annotations

from collections.abc import Mapping

from processors.stream.loop.transaction import At


class Gaps:
    """Facts about logs, which stay true after an abort or a rebalance."""

    def __init__(self) -> None:
        self._gaps: dict[At, tuple[int, int]] = {}

    def note(self, at: At, position: int, end: int) -> None:
        """There was no record between `position` and `end`."""
        if end > position:
            self._gaps[at] = position, end

    def passed(self, positions: Mapping[At, int], owned: Mapping[At, int]) -> dict[At, int]:
        """The positions to commit, and those of other owned partitions that a gap begins at, moved past it.

        A position elsewhere has records before the gap that are not handled, and stays.
        """
        return {**positions, **self.ahead({**owned, **positions})}

    def ahead(self, positions: Mapping[At, int]) -> dict[At, int]:
        """The end of the gap, for each position that one begins at."""
        return {at: end for at, (position, end) in self._gaps.items() if positions.get(at) == position}
