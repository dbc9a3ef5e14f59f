"""`compat-guard run`: a processor in this process, or several in children of their own."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from processors.bootstrap.processors import PROCESSORS, run_processor
from processors.bootstrap.supervisor import supervise
from processors.cli.completion import processors
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid
from processors.observability.logs import configure_logging

NAMES = (*PROCESSORS, "gateway")


def run(
    names: Annotated[
        list[str], typer.Argument(help=f"{', '.join(NAMES)}; or all", metavar="NAME...", autocompletion=processors)
    ],
) -> None:
    """Run processors until SIGTERM or Ctrl-C. A single one runs in this process; several run in child processes.

    `all` are those that process topics; the gateway, which serves HTTP, must be named.

    Several processors serve health and metrics on GUARD_HEALTH_PORT and the following ports, if that is set, in the
    order in which they are listed here.

    A processor ends with 70 when it must be restarted; a supervisor does that, and so does `run` for children. A
    child that stands still is killed and restarted; only one with an unusable configuration ends them all.
    """
    chosen = list(PROCESSORS) if names == ["all"] else names
    for name in chosen:
        if name not in NAMES:
            raise SettingsInvalid(f"`{name}` is not a processor; there are {', '.join(NAMES)}, and all")
    stop = threading.Event()

    def stopped(number: int, frame: object) -> None:  # noqa: ARG001 - a handler's signature
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    if chosen == ["gateway"]:
        from processors.gateway.start import run_gateway  # noqa: PLC0415 - the others need no web server

        run_gateway(settings(), stop)
    elif len(chosen) == 1 and names != ["all"]:
        run_processor(chosen[0], settings(), stop)
    else:
        configure_logging(settings().log_level)
        raise typer.Exit(supervise(chosen, settings().health_port, stop))
