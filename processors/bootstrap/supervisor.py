"""Several processors on one machine: a child process each, started afresh when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from processors.bootstrap.processors import PROCESSORS

RESTARTED = 70
"""The exit code that asks for a fresh process."""

CALM = 10.0
"""Seconds a child must have lived before a restart of it is taken for a matter of course."""


def supervise(names: Sequence[str], first_port: int, stop: threading.Event) -> int:
    """Keep a child for each name until told to stop; start afresh what ends, unless it ends at once again.

    Returns the exit code: 0 after `stop`, else that of the child that could not be kept running.
    """
    children = {name: _Child(name, port) for name, port in health_ports(names, first_port).items()}
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
