"""Reads results again that a reader of a stream has missed while it was disconnected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from processors.errors import BrokerUnavailable, Refused
from processors.events.topics import RESULTS
from processors.gateway.positions import Position, behind
from processors.stream.io.follow import PATIENCE, Follower
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound

MOST: Final = 20_000
"""The most offsets that a reader may have missed. A reader that was away for longer starts over."""

AT_ONCE: Final = 500
"""The approximate number of records in memory at once."""


_BEHIND_THE_END: Final = "this place lies behind the end of the results; begin anew without Last-Event-ID"

Missed = tuple[Sequence[Inbound], Position]
"""Missed results, and the position after them."""


class TooFarBehind(Refused):
    """Not all missed results are available any more."""


def refuse_too_far(place: Position, there: Position) -> None:
    """Raise TooFarBehind for a position from which the stream cannot continue."""
    if unknown := place.keys() - there.keys():
        raise TooFarBehind(
            f"the topic of results has no partition {min(unknown)}; begin anew without Last-Event-ID"
        )
    if any(place[partition] > there[partition] + MOST for partition in place):
        raise TooFarBehind(_BEHIND_THE_END)
    count = sum(end - begin for begin, end in behind(place, there).values())
    if count > MOST:
        raise TooFarBehind(
            f"about {count} results have come since, and at most {MOST} are given again; begin anew without "
            "Last-Event-ID"
        )


def refuse_behind_the_end(settings: StreamSettings, place: Position) -> None:
    """Raise TooFarBehind for a position after the end of the topic, such as after it was created again. In a
    thread.

    A replica may lag, so only the brokers know. Raises BrokerUnavailable.
    """
    with closing(Follower(settings, "gateway-missed")) as follower:
        ends = follower.ends(RESULTS)
    if any(offset > ends.get(partition, 0) for partition, offset in place.items()):
        raise TooFarBehind(_BEHIND_THE_END)


def read_missed(settings: StreamSettings, place: Position, there: Position) -> Missed:
    """Some of the results between the two positions, in the order of each partition, and the position after them.
    In a thread.

    Raises TooFarBehind if the topic no longer holds them, BrokerUnavailable.
    """
    missing = behind(place, there)
    found: list[Inbound] = []
    reached = {partition: begin for partition, (begin, _) in missing.items()}
    with closing(Follower(settings, "gateway-missed")) as follower:
        if gone := follower.from_offsets(RESULTS, reached):
            raise TooFarBehind(
                f"results of partition {min(gone)} are no longer kept; begin anew without Last-Event-ID"
            )
        heard = time.monotonic()
        while len(found) < AT_ONCE and any(reached[partition] < end for partition, (_, end) in missing.items()):
            records = follower.batch(0.1)
            for record in records:
                _, end = missing[record.partition]
                if record.offset < end:  # later ones come by themselves
                    found.append(record)
                reached[record.partition] = min(record.offset + 1, end)
            if not records and follower.caught_up:
                reached = {
                    partition: end for partition, (_, end) in missing.items()
                }  # there are no records between them
            heard = time.monotonic() if records else heard
            if time.monotonic() - heard > PATIENCE:
                raise BrokerUnavailable(f"no broker has answered for {PATIENCE:g} s")
    return found, {**place, **reached}
