"""The position of a reader of results: for each partition, the first offset that it has not seen.

It is the `id` of an event, and comes back as `Last-Event-ID`: a disconnected reader continues there, at any
replica, without missing or repeating anything. With an invented position a caller only sees results that are its
own anyway. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from processors.stream.types import Inbound

Position = Mapping[int, int]

LONGEST: Final = 16_000
"""The most characters of a position as text."""

_PARTS: Final = re.compile(r"(\d{1,5}):(\d{1,18})(?:,|$)", re.ASCII)


def text_of(place: Position) -> str:
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(place.items()))


def read(text: str) -> Position:
    """Raises ValueError for text that no gateway has written."""
    found = _PARTS.findall(text)
    place = {int(partition): int(offset) for partition, offset in found}
    if len(text) > LONGEST or not place or text_of(place) != text:
        raise ValueError("the place of a reader names partitions and offsets, such as `0:17,1:4`")
    return place


def behind(place: Position, there: Position) -> dict[int, tuple[int, int]]:
    """The missing offsets: for each partition the first missing one, and the one after the last.

    A partition that `place` does not name is new: all of it is missing.
    """
    return {
        partition: (place.get(partition, 0), end)
        for partition, end in there.items()
        if place.get(partition, 0) < end
    }


def after(place: Position, record: Inbound) -> dict[int, int]:
    """The position of a reader that has also seen this record."""
    return {**place, record.partition: record.offset + 1}


def has_seen(place: Position, record: Inbound) -> bool:
    return record.offset < place.get(record.partition, 0)
