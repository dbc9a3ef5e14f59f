"""What the relay promises for one target: every event is taken in once, and answered by state alone."""

from __future__ import annotations

from contract.case import NOON, Case, record
from contract.providers import checker
from examples.sealing import SEALS

from processors.events.topics import BLOCKS, NOTIFICATIONS, RELAY_STATE, RESULTS
from processors.relay.courier import Courier
from processors.relay.dispatch import Dispatch
from processors.relay.envelope import cloud_event
from processors.relay.measures import DeliveryMeasures
from processors.relay.pace import ORDINARY
from processors.relay.processor import Relay
from processors.relay.target_status import Pauses, TargetStatus

TARGET = "platform"


class Idle(Courier):
    """Sends nothing: what it would send stays in the state. A real one has an event loop, and must be closed."""

    def __init__(self) -> None: ...

    def raise_failure(self) -> None: ...

    def wake(self, now: int) -> None: ...


def relay() -> Relay:
    dispatch, measures = (
        Dispatch(lambda _: ORDINARY, Pauses(1000, 10_000), TargetStatus()),
        DeliveryMeasures(TARGET),
    )
    return Relay(
        checker.CODEC,
        TARGET,
        ["notifications", "results", "blocks"],
        lambda event: cloud_event(event, links=""),
        dispatch,
        Idle(),
        measures,
        SEALS,
        since=0,
    )


def cases() -> list[Case]:
    (asked, *_) = checker.cases()
    answers = asked.processor().handle(asked.records, asked.view()).outputs
    told = [answer for answer in answers if answer.topic in (NOTIFICATIONS, RESULTS, BLOCKS)]
    return [
        Case(
            name="relay",
            processor=relay,
            records=[
                record(answer.topic, offset, (answer.key or b"").decode(), answer.value, headers=answer.headers)
                for offset, answer in enumerate(told)
            ],
            topics=frozenset({RELAY_STATE}),
            tables={RELAY_STATE: {}},
            now=NOON,
        )
    ]
