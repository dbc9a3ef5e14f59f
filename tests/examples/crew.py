"""Worker processes by ordinal, for tests that kill them."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable

AFRESH = 70
"""The exit code with which a worker asks to be started afresh."""

Start = Callable[[int], "subprocess.Popen[bytes]"]
"""Starts the worker of an ordinal."""


class Crew:
    """So many workers. A dead one is replaced by another of the same ordinal, as a supervisor would."""

    def __init__(self, count: int, start: Start) -> None:
        self._count, self._start = count, start
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self.deaths: list[int] = []
        """Exit codes of those that were replaced."""

    def tend(self) -> None:
        """Start whoever is not there."""
        for ordinal in range(self._count):
            worker = self._workers.get(ordinal)
            if worker is not None and worker.poll() is not None:
                self.deaths.append(worker.returncode)
            if worker is None or worker.poll() is not None:
                self._workers[ordinal] = self._start(ordinal)

    def kill_one(self) -> None:
        """Kill -9 one of them, whatever it is doing; another one if it had just ended by itself."""
        while True:
            victim = random.choice(list(self._workers.values()))
            victim.kill()
            if victim.wait() == -signal.SIGKILL:
                return
            self.tend()

    def dismiss(self) -> None:
        for worker in self._workers.values():
            worker.kill()
            worker.wait()
