"""Results as a gateway streams them, across its restarts: server-sent events, gone on with where they ended."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from processors.client.gateway_calls import GatewayCalls
from processors.client.transport import Tell
from processors.errors import GatewayUnavailable
from processors.events.results import Result

EVENTS: Final = "/internal/events"

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts to reach a gateway that is away, give or take a fifth."""

_DOUBLINGS: Final = 10
"""Of the pause. A gateway may be away for days, and a power that grows with every attempt overflows."""


class StreamedEvent(NamedTuple):
    """One event. `id` is None where it states none, `data` is empty where it only tells the id."""

    id: str | None
    data: str


def events(lines: Iterable[str]) -> Iterator[StreamedEvent]:
    """The events of a stream (HTML, section 9.2). One that is cut off before its end is none."""
    id: str | None = None
    data: list[str] = []
    for line in lines:
        if not line:
            if id is not None or data:
                yield StreamedEvent(id, "\n".join(data))
            id, data = None, []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            id = value
        elif name == "data":
            data.append(value)


def watched(calls: GatewayCalls, tell: Tell) -> Iterator[tuple[int, Result]]:
    """Results from now on, each with the broker's milliseconds.

    A gateway that goes away after it has answered once is waited for. Raises GatewayUnavailable if it never answers
    or cannot go on where it ended, and what its refusals mean, such as of a token that has expired.
    """
    place: str | None = None
    away = 0
    while True:
        is_old = False
        try:
            with calls.stream(EVENTS, place) as answer:
                for number, event in enumerate(events(answer.iter_lines())):
                    is_old = is_old or (number == 0 and bool(event.data))
                    if is_old and place is not None:
                        break
                    if away > 1:
                        tell("the gateway is back; results go on where they ended")
                    away = 0
                    place = None if is_old else event.id or place
                    if event.data:
                        yield _result(event)
            why = "the gateway ended the stream"
        except GatewayUnavailable as error:
            why = str(error)
            if place is None:
                raise
        if is_old or place is None:
            raise GatewayUnavailable(f"{why}, and is too old to go on from there; results may have come by since")
        if away == 1:  # one that is replaced is mostly back at once, and nobody has to know
            tell(f"{why}; it is asked again until it is back")
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(away, _DOUBLINGS)) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        away += 1
        time.sleep(pause)


def _result(event: StreamedEvent) -> tuple[int, Result]:
    found: dict[str, Any] = json.loads(event.data)
    return found["at"], Result(found["result"])
