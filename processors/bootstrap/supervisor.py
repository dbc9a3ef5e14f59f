"""Runs several processors on one machine: a child process each, restarted when it ends or stands still."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from processors.bootstrap.heartbeat import HeartbeatPipe
from processors.bootstrap.processors import PROCESSORS

MISTAKEN: Final = 2
"""The exit code for unusable settings or arguments: a restart would not help."""

SILENT: Final = 45.0
"""Seconds without a heartbeat after which a child is killed. Its own watchdog is quicker, unless that hangs too."""

CALM: Final = 60.0
"""Seconds that a child must have run for the next restart to be immediate again."""

LONGEST_PAUSE: Final = 30.0
"""The most seconds between two restarts. A process that cannot run must not be started a hundred times a minute."""

LEAVING: Final = 25.0
"""Seconds that children have to end when they are told to, before they are killed. Their watchdogs take 20."""

_log = structlog.get_logger(__name__)


def supervise(names: Sequence[str], first_port: int, stop: threading.Event) -> int:
    """Keep a child for each name until told to stop. One that ends is started again, whatever ended it, with
    growing pauses; one whose loop has not come round is killed first.

    Returns the exit code: 0 after `stop`, or 2 as soon as one says that it cannot be configured like this.
    """
    ports = health_ports(names, first_port)
    children = [Child(name, lambda n=name: _start(n, ports[n])) for name in names]
    try:
        while not stop.wait(0.2):
            if any(child.supervise() == MISTAKEN for child in children):
                return MISTAKEN
    finally:
        _end(children)
    return 0


def health_ports(names: Sequence[str], first: int) -> dict[str, int]:
    """One after the other from the first on, in the order of PROCESSORS whichever of them run; 0 picks any.

    What is no processor, such as the gateway, comes behind all of them.
    """
    order = [*PROCESSORS, *(name for name in names if name not in PROCESSORS)]
    return {name: first + order.index(name) if first else 0 for name in names}


Started = tuple["subprocess.Popen[bytes]", HeartbeatPipe]


class Child:
    """A processor in its own process. `start` creates that process, and the pipe for its heartbeat."""

    def __init__(self, name: str, start: Callable[[], Started]) -> None:
        self._name, self._start = name, start
        self._restarts, self._due = 0, 0.0
        self._begin()

    def supervise(self) -> int | None:
        """Restart the child if it has ended and its pause is over, and kill it if it stands still.

        Returns its exit code while it does not run.
        """
        if self.process.poll() is None:
            if self._pipe.silence() > SILENT:
                _log.error("a processor stands still, and is killed", processor=self._name, pid=self.process.pid)
                self.process.kill()
            return None
        if self._due == 0.0:
            self._due = time.monotonic() + self._pause()
        if self.process.returncode != MISTAKEN and time.monotonic() >= self._due:
            self._pipe.close()
            self._begin()
            return None
        return self.process.returncode

    def _begin(self) -> None:
        self._born, self._due = time.monotonic(), 0.0
        self.process, self._pipe = self._start()

    def _pause(self) -> float:
        self._restarts = 0 if time.monotonic() - self._born > CALM else self._restarts + 1
        pause = min(2.0 ** (self._restarts - 2), LONGEST_PAUSE) if self._restarts > 1 else 0.0
        _log.warning("a processor ended", processor=self._name, code=self.process.returncode, starts_again_in=pause)
        return pause


def _start(name: str, health_port: int) -> Started:
    """In a separate session, so that Ctrl-C reaches only the parent."""
    pipe = HeartbeatPipe()
    environment = {**os.environ, "GUARD_HEALTH_PORT": str(health_port), **pipe.environment()}
    command = [sys.executable, "-m", "processors.cli", "run", name]
    process = subprocess.Popen(command, env=environment, start_new_session=True, pass_fds=(pipe.there,))
    pipe.started()
    return process, pipe


def _end(children: Sequence[Child]) -> None:
    """Let all children finish their transactions at the same time, and wait no longer than one of them may take."""
    for child in children:
        child.process.terminate()
    until = time.monotonic() + LEAVING
    for child in children:
        try:
            child.process.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
