"""Builds the relay: for each target a loop, a courier and a thread, in one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import structlog

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.sealing import seals
from processors.bootstrap.secrets import secret
from processors.configuration.settings import Settings
from processors.relay.config import Target, load
from processors.relay.courier import PATIENCE, Courier
from processors.relay.delivery import Delivery
from processors.relay.dispatch import Dispatch
from processors.relay.making import made
from processors.relay.measures import DeliveryMeasures
from processors.relay.pace import ORDINARY, URGENT, Pace
from processors.relay.processor import Relay
from processors.relay.target_status import Pauses, TargetStatus
from processors.stream.loop.health import Health, SharedHealth, Vitals
from processors.stream.loop.health_server import HealthServer
from processors.stream.loop.loop import run as run_loop
from processors.stream.settings import StreamSettings

_log = structlog.get_logger(__name__)

_TICK, _POLL = 0.2, 0.1
"""Seconds: the delay until attempts are committed, and until accepted events are attempted."""


@dataclass(slots=True)
class Line:
    """Everything that serves one target."""

    processor: Relay
    dispatch: Dispatch
    courier: Courier
    health: Health
    stop: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None


def run_relay(of: Settings, stop: threading.Event, watch: Callable[[Vitals], None] = lambda _: None) -> None:
    """Run until `stop` is set; then let attempts in flight finish, and commit their results.

    `watch` gets the health of all loops, before any of them runs. Raises the error of the first loop that fails;
    the others are stopped.
    """
    config = load(of.config)
    settings = replace(stream_settings(of), tick=_TICK, poll=_POLL, seals=seals(of))
    with ExitStack() as stack:
        lines = [_line(target, config.links, of, stack) for target in config.targets]
        health = SharedHealth("relay", [line.health for line in lines])
        watch(health)
        if settings.health_port is not None:
            stack.enter_context(HealthServer(health, settings.health_host, settings.health_port))
        if not lines:
            _log.warning("no target is configured, so nothing is sent anywhere", file=str(of.config / "relay.yaml"))
        for line in lines:
            stack.enter_context(line.courier)
        _run(lines, replace(settings, health_port=None), stop)


def _line(target: Target, links: str, of: Settings, stack: ExitStack) -> Line:
    ready = made(target, links, lambda place: secret(place, of.config))
    pauses = Pauses(target.breaker.first, target.breaker.longest)
    ordinary = Pace(target.retry) if target.retry else ORDINARY

    def pace(delivery: Delivery) -> Pace:
        return URGENT if delivery.urgent else ordinary

    dispatch = Dispatch(pace, pauses, TargetStatus(endpoint=ready.endpoint))
    measures = DeliveryMeasures(target.name)
    courier = Courier(target.name, dispatch, ready.sender, target.in_flight, measures)
    events = stack.enter_context(codec(of))  # one for each thread
    processor = Relay(
        events, target.name, target.events, ready.body, dispatch, courier, measures, seals(of), target.since
    )
    return Line(processor, dispatch, courier, Health(processor.name))


def _run(lines: Sequence[Line], settings: StreamSettings, stop: threading.Event) -> None:
    threads = [threading.Thread(target=_loop, args=(line, settings, stop)) for line in lines]
    for thread in threads:
        thread.start()
    stop.wait()
    _let_end(lines)
    for line in lines:
        line.stop.set()
    for thread in threads:
        thread.join()
    for line in lines:
        if line.failure is not None:
            raise line.failure


def _loop(line: Line, settings: StreamSettings, stop: threading.Event) -> None:
    try:
        run_loop(line.processor, settings, line.stop, health=line.health)
    except BaseException as error:  # noqa: BLE001 - raised again where all threads have ended
        line.failure = error
        stop.set()


def _let_end(lines: Sequence[Line]) -> None:
    """Waits for attempts in flight: otherwise the receivers would get all of them a second time."""
    for line in lines:
        line.courier.begin_no_more()
    until = time.monotonic() + PATIENCE + 1
    while time.monotonic() < until and any(line.failure is None and not line.dispatch.idle() for line in lines):
        time.sleep(0.05)
