"""Where a group starts in each partition that it takes over, or why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from processors.errors import OffsetsLost
from processors.stream.loop.transaction import At

WayOn = Callable[[Collection[At], Literal["earliest", "latest"]], str]
"""How an operator lets a group continue at the beginnings or the ends of logs, as part of a sentence."""


def starting_points(
    name: str,
    bounds: Mapping[At, tuple[int, int]],
    committed: Mapping[At, int],
    given_up: Callable[[Collection[At]], Mapping[At, int]],
    way_on: WayOn,
) -> dict[At, int]:
    """The committed offsets, or the beginning of the log where there is none, or where all before it was given up.

    `bounds` are the first offset of each log and the one after the last. Nothing that a log contains is skipped,
    whatever was given up.

    Raises:
        OffsetsLost: a log no longer contains, or never contained, the committed offset.
    """
    found = {at: committed.get(at, low) for at, (low, _) in bounds.items()}
    expired = sorted(at for at, start in found.items() if start < bounds[at][0])
    noted: Mapping[At, int] = given_up(expired) if expired else {}
    for at in expired:
        found[at] = max(found[at], min(noted.get(at, 0), bounds[at][0]))
    if expired := [at for at in expired if found[at] < bounds[at][0]]:
        first = expired[0]
        low = bounds[first][0]
        raise OffsetsLost(
            f"{name} stands at offset {found[first]} of {_named(first)}, and the log begins at {low}: "
            f"{_counted(low - found[first])} expired unread{_more(expired)}. To continue without them, "
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


def _counted(offsets: int) -> str:
    return "1 offset" if offsets == 1 else f"{offsets} offsets"


def _named(at: At) -> str:
    return f"{at[0]}/{at[1]}"


def _more(partitions: Sequence[At]) -> str:
    others = [_named(at) for at in partitions[1:]]
    return f"; the same holds for {', '.join(others)}" if others else ""
