"""Results streamed by a gateway, across its restarts: server-sent events, resumed where they ended."""

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
"""Seconds between two attempts to reach an unavailable gateway, plus or minus a fifth."""

_DOUBLINGS: Final = 10
"""The most doublings of the pause. A gateway may be away for days, and an unlimited power overflows."""


class StreamedEvent(NamedTuple):
    """One event. `id` is None if it has none, `data` is empty if it only has an id."""

    id: str | None
    data: str


def events(lines: Iterable[str]) -> Iterator[StreamedEvent]:
    """The events of a stream (HTML, section 9.2). An incomplete event at the end is dropped."""
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

    After a first response, a gateway that becomes unavailable is waited for. Raises GatewayUnavailable if it never
    answers or cannot resume, and the errors of its refusals, such as for an expired token.
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
        if away == 1:  # a replaced gateway is usually back at once, and nobody has to know
            tell(f"{why}; it is asked again until it is back")
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(away, _DOUBLINGS)) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        away += 1
        time.sleep(pause)


def _result(event: StreamedEvent) -> tuple[int, Result]:
    found: dict[str, Any] = json.loads(event.data)
    return found["at"], Result(found["result"])
