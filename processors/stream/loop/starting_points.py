"""Where a group starts in each partition that it takes over, or why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from processors.errors import OffsetsLost
from processors.stream.loop.transaction import At

WayOn = Callable[[Collection[At], Literal["earliest", "latest"]], str]
"""How an operator lets a group continue at the beginnings or the ends of logs, as part of a sentence."""


def starting_points(
    name: str, bounds: Mapping[At, tuple[int, int]], committed: Mapping[At, int], way_on: WayOn
) -> dict[At, int]:
    """The committed offsets, or the beginning of the log where there is none.

    `bounds` are the first offset of each log and the one after the last.

    Raises:
        OffsetsLost: a log no longer contains, or never contained, the committed offset.
    """
    found = {at: committed.get(at, low) for at, (low, _) in bounds.items()}
    if expired := sorted(at for at, start in found.items() if start < bounds[at][0]):
        first = expired[0]
        low = bounds[first][0]
        raise OffsetsLost(
            f"{name} stands at offset {found[first]} of {_named(first)}, and the log begins at {low}: "
            f"{low - found[first]} offsets expired unread{_more(expired)}. To give them up, "
            f"{way_on(expired, 'earliest')}"
        )
    if cut := sorted(at for at, start in found.items() if start > bounds[at][1]):
        first = cut[0]
        raise OffsetsLost(
            f"{name} stands at offset {found[first]} of {_named(first)}, and the log ends at {bounds[first][1]}: "
            "its newest records were lost, as when a broker without them becomes the leader, or a volume is "
            f"restored{_more(cut)}. Find out how. To read what comes now, {way_on(cut, 'latest')}"
        )
    return found


def _named(at: At) -> str:
    return f"{at[0]}/{at[1]}"


def _more(partitions: Sequence[At]) -> str:
    others = [_named(at) for at in partitions[1:]]
    return f"; the same holds for {', '.join(others)}" if others else ""
