"""The table of processors: the name of each, how it is built, and how it runs in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.heartbeat import heartbeat
from processors.bootstrap.sealing import seals
from processors.bootstrap.trust import matrix_trust, policy_trust
from processors.configuration.guard import Watched
from processors.configuration.settings import Settings
from processors.masking.masker import Masker
from processors.observability.logs import configure_logging
from processors.stream.loop.health import Health
from processors.stream.loop.loop import OpenTransaction
from processors.stream.loop.loop import run as run_loop
from processors.stream.loop.watchdog import Watchdog
from processors.stream.types import Processor
from processors.stream.wire.codec import Codec

Make = Callable[[Settings, Codec], Processor]
MakeTransaction = Callable[[Settings, Codec, ExitStack], OpenTransaction]
Run = Callable[[str, Settings, threading.Event], None]
"""Runs under a name until the event is set, watched by a watchdog."""


def _checker(of: Settings, events: Codec) -> Processor:
    from processors.bootstrap.answering import exceptions_of  # noqa: PLC0415 - each process loads its own room only
    from processors.checker.processor import Checker  # noqa: PLC0415 - as above

    config = Watched(of.config)
    return Checker(
        events,
        seals(of),
        lambda: config().features.guard,
        matrix_trust(of),
        policy_trust(of),
        pages=config().gateway.pages,
        may_be_excepted=exceptions_of(of),
    )


def _ledger(of: Settings, events: Codec) -> Processor:
    from processors.bootstrap.ledger import ledger  # noqa: PLC0415 - as above

    return ledger(of, events)


def _ledger_transaction(of: Settings, events: Codec, stack: ExitStack) -> OpenTransaction:
    from processors.bootstrap.ledger import transaction  # noqa: PLC0415 - as above

    return transaction(of, events, stack)


def _staleness(of: Settings, events: Codec) -> Processor:
    from processors.staleness.processor import StalenessMonitor  # noqa: PLC0415 - as above

    config = Watched(of.config)
    return StalenessMonitor(events, seals(of), lambda: config().staleness, matrix_trust(of), policy_trust(of))


def _exception_workflow(of: Settings, events: Codec) -> Processor:
    from processors.bootstrap.exception_workflow import workflow  # noqa: PLC0415 - as above

    return workflow(of, events)


def _relay(name: str, of: Settings, stop: threading.Event) -> None:  # noqa: ARG001 - as every processor
    from processors.bootstrap.relay import run_relay  # noqa: PLC0415 - as above

    run_relay(of, stop, lambda health: Watchdog(health, stop, heartbeat()).start())


def _security_context(name: str, of: Settings, stop: threading.Event) -> None:
    from processors.bootstrap.security_context import run_security_context  # noqa: PLC0415 - as above

    health = Health(name)
    Watchdog(health, stop, heartbeat()).start()
    run_security_context(of, stop, health)


def _loop(make: Make, transaction: MakeTransaction | None = None) -> Run:
    """A processor with a single loop.

    `transaction` is for one whose outcomes are not stored in Kafka; what is opened for it is closed with the stack.
    """

    def run(name: str, of: Settings, stop: threading.Event) -> None:
        health = Health(name)
        Watchdog(health, stop, heartbeat()).start()
        with ExitStack() as stack:
            events = stack.enter_context(codec(of))
            opened = transaction(of, events, stack) if transaction else None
            processor, streams = make(of, events), stream_settings(of)
            if processor.state is not None:
                streams = replace(streams, seals=seals(of))
            run_loop(processor, streams, stop, transaction=opened, health=health)

    return run


PROCESSORS: Mapping[str, Run] = {
    "checker": _loop(_checker),
    "exception-workflow": _loop(_exception_workflow),
    "ledger": _loop(_ledger, _ledger_transaction),
    "staleness": _loop(_staleness),
    "relay": _relay,
    "security-context": _security_context,
}
"""Every processor by name, and how it runs."""


def run_processor(name: str, of: Settings, stop: threading.Event) -> None:
    """Run one processor in this process until `stop` is set. `name` is one of PROCESSORS.

    The process ends with code 70 when the loop stands still, also while it closes; see `stream.loop.watchdog`.
    """
    begin_logging(of)
    PROCESSORS[name](name, of, stop)


def begin_logging(of: Settings) -> None:
    """Set up logging for a process of the guard. Called once, at its start."""
    configure_logging(of.log_level, _masker(of))


def _masker(of: Settings) -> Masker | None:
    """People have the same pseudonyms in the log as in the ledger, if its keys are available."""
    from processors.ledger.keys import read_keys  # noqa: PLC0415 - needed once, at the start

    return Masker(read_keys(of.ledger.keys).pseudonyms) if of.ledger.keys.exists() else None
