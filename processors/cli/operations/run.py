"""`compat-guard run`: a processor in this process, or all of them in children of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Annotated

import typer

from processors.bootstrap.clients import codec, stream_settings
from processors.configuration.guard import Watched
from processors.configuration.settings import Settings, settings
from processors.errors import SettingsInvalid
from processors.masking.masker import Masker
from processors.observability.logs import configure_logging
from processors.stream.loop.loop import OpenTransaction
from processors.stream.loop.loop import run as run_loop
from processors.stream.types import Processor
from processors.stream.wire.codec import Codec

RESTARTED = 70
"""The exit code that asks for a fresh process."""

CALM = 10.0
"""Seconds a child must have lived before a restart of it is taken for a matter of course."""


def _checker(of: Settings, events: Codec) -> Processor:
    from processors.checker.processor import Checker  # noqa: PLC0415 - each process loads its own room only

    config = Watched(of.config)
    return Checker(events, lambda: config().features.guard)


def _ledger(of: Settings, events: Codec) -> Processor:
    from processors.bootstrap.ledger import ledger  # noqa: PLC0415 - as above

    return ledger(of, events)


def _ledger_transaction(of: Settings, events: Codec, stack: ExitStack) -> OpenTransaction:
    from processors.bootstrap.ledger import transaction  # noqa: PLC0415 - as above

    return transaction(of, events, stack)


def _staleness(of: Settings, events: Codec) -> Processor:
    from processors.staleness.processor import StalenessMonitor  # noqa: PLC0415 - as above

    config = Watched(of.config)
    return StalenessMonitor(events, lambda: config().staleness)


def _exception_workflow(of: Settings, events: Codec) -> Processor:
    from processors.client.exceptions import workflow  # noqa: PLC0415 - as above

    return workflow(of, events)


PROCESSORS: Mapping[str, Callable[[Settings, Codec], Processor]] = {
    "checker": _checker,
    "exception-workflow": _exception_workflow,
    "ledger": _ledger,
    "staleness": _staleness,
}
"""What reacts to what: every processor by name, and how it is made."""

TRANSACTIONS: Mapping[str, Callable[[Settings, Codec, ExitStack], OpenTransaction]] = {
    "ledger": _ledger_transaction
}
"""Processors whose outcomes go elsewhere than to Kafka. What is opened for them is closed with the stack."""


def run(
    names: Annotated[list[str], typer.Argument(help=f"{', '.join(PROCESSORS)}; or all", metavar="NAME...")],
) -> None:
    """Run processors until SIGTERM or Ctrl-C. One runs in this process; several run in children of their own.

    Several serve health and metrics on GUARD_HEALTH_PORT and those after it, if that is set, in the order in which
    they are listed here.

    Ends with 70 when a processor must be started afresh; a supervisor does that, and so does `run` for children.
    """
    chosen = list(PROCESSORS) if names == ["all"] else names
    for name in chosen:
        if name not in PROCESSORS:
            raise SettingsInvalid(f"`{name}` is no processor; there are {', '.join(PROCESSORS)}, and all")
    stop = threading.Event()

    def stopped(number: int, frame: object) -> None:  # noqa: ARG001 - a handler's signature
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    if len(chosen) == 1 and names != ["all"]:
        _run_here(chosen[0], stop)
    else:
        raise typer.Exit(supervise(chosen, stop))


def _run_here(name: str, stop: threading.Event) -> None:
    configure_logging(settings().log_level, _masker(settings()))
    with ExitStack() as stack:
        of, events = settings(), stack.enter_context(codec(settings()))
        opened = TRANSACTIONS[name](of, events, stack) if name in TRANSACTIONS else None
        run_loop(PROCESSORS[name](of, events), stream_settings(of), stop, transaction=opened)


def _masker(of: Settings) -> Masker | None:
    """People have the same names in the log as in the ledger, where its keys are at hand."""
    from processors.ledger.keys import read_keys  # noqa: PLC0415 - needed once, at the start

    return Masker(read_keys(of.ledger.keys).pseudonyms) if of.ledger.keys.exists() else None


def supervise(names: Sequence[str], stop: threading.Event) -> int:
    """Keep a child for each name until told to stop; start afresh what ends, unless it ends at once again."""
    children = {name: _Child(name, port) for name, port in health_ports(names, settings().health_port).items()}
    try:
        while not stop.wait(0.2):
            for child in children.values():
                code = child.ended_for_good()
                if code is not None:
                    return code
    finally:
        for child in children.values():
            child.stop()
    return 0


def health_ports(names: Sequence[str], first: int) -> dict[str, int]:
    """One after the other from the first on, in the order of PROCESSORS whichever of them run; 0 picks any."""
    order = list(PROCESSORS)
    return {name: first + order.index(name) if first else 0 for name in names}


class _Child:
    """A processor in a process of its own, in its own session so that Ctrl-C reaches only the parent."""

    def __init__(self, name: str, health_port: int) -> None:
        self._name = name
        self._environment = {**os.environ, "GUARD_HEALTH_PORT": str(health_port)}
        self._start()

    def _start(self) -> None:
        self._born = time.monotonic()
        command = [sys.executable, "-m", "processors.cli", "run", self._name]
        self._process = subprocess.Popen(command, env=self._environment, start_new_session=True)

    def ended_for_good(self) -> int | None:
        """The code it ended with, if starting it again is of no use; None while it runs or runs again."""
        code = self._process.poll()
        if code is None:
            return None
        if code != RESTARTED and time.monotonic() - self._born < CALM:
            return code or 1
        self._start()
        return None

    def stop(self) -> None:
        """Let it finish its transaction; the loop's own deadline bounds the wait."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
