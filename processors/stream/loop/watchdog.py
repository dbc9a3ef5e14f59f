"""Ends a process that cannot go on.

Some calls of the Kafka client have no deadline, and some exceed the one they have: `abort_transaction` at a close,
`Consumer.close`, `send_offsets_to_transaction` before a broker that is silent rather than gone
(confluent-kafka-python 2329, librdkafka 3740, 5456 and 5511). No exception can interrupt them; only the end of the
process does, and its supervisor restarts it.

A thread checks the loop's reports. If that thread cannot run itself, because our own code holds the interpreter, a
timer below Python ends the process and dumps the stack of every thread.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from processors.errors import Fatal
from processors.stream.loop.health import Vitals

EVERY: Final = 0.5
"""Seconds between two checks."""

STOPPING: Final = 20.0
"""Seconds from the request to stop until the process is ended, whatever it is doing."""

_GRACE: Final = 15.0
"""Seconds past the deadline after which the timer below Python assumes that the thread is stuck as well."""

_log = structlog.get_logger(__name__)


class Watchdog:
    """Watches a loop for as long as the process lives: closing clients, and Python's own exit, may hang too.

    `heartbeat` is called at each check that finds the loop alive, for a supervisor in another process.
    """

    def __init__(self, health: Vitals, stop: threading.Event, heartbeat: Callable[[], None] = lambda: None) -> None:
        self._health, self._stop, self._heartbeat = health, stop, heartbeat
        self._stopping: float | None = None

    def start(self) -> None:
        """Must be called by the main thread, after its signal handlers were installed.

        A handler does not run while the main thread is inside a call. The number of the signal is written to a pipe
        all the same, and read here.
        """
        self._signals, told = os.pipe()
        for end in (self._signals, told):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        self._arm()  # here and not in the thread, which may never run
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        while (why := self._overdue()) is None:
            if self._health.alive:
                self._heartbeat()
            self._arm()
            time.sleep(EVERY)
        _log.critical("the process is ended", why=why, **self._health.facts())
        sys.stdout.flush()
        faulthandler.dump_traceback()
        os._exit(Fatal.exit_code)

    def _arm(self) -> None:
        """Postpone the timer below Python to the present deadline plus the grace."""
        faulthandler.dump_traceback_later(max(-self._health.overdue, 0) + _GRACE, exit=True)

    def _overdue(self) -> str | None:
        with suppress(BlockingIOError):
            if {*os.read(self._signals, 64)} & {signal.SIGTERM, signal.SIGINT}:
                self._stop.set()
        if self._stop.is_set():
            self._stopping = self._stopping or time.monotonic()
            if time.monotonic() - self._stopping > STOPPING:
                return f"it did not stop within {STOPPING:g} s"
        if self._health.overdue > 0:
            return f"the loop has not come round in time, for {self._health.overdue:.1f} s"
        return None
