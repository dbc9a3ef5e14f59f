"""Whether a process is alive, and whether it is ready.

Alive means that the loop completes its rounds in time. It depends neither on traffic nor on the broker: restarting
every process because the broker is away helps nobody. Ready means that partitions are assigned, state is restored,
tables are loaded, and the loop has completed a round within the last seconds while a broker answered. So a process
that waits for a silent broker is alive and not ready.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

from processors.observability import metrics

CALLING: Final = 30.0
"""Seconds that one call to a broker, a registry or a database may take. Each has a shorter limit of its own."""

WORKING: Final = 120.0
"""Seconds that our own code may work without a break: on a batch, or on a refresh of a million rows."""

CLOSING: Final = 15.0
"""Seconds that closing may take once the loop has ended. Some of the client's calls have no deadline themselves."""

STILL_AFTER: Final = 6.0
"""Seconds without a completed round of the loop after which it is not ready."""


class Heartbeat(Protocol):
    """Reports that the loop is alive, and within how many seconds it will report again."""

    def __call__(self, patience: float = ..., /) -> None: ...


def unwatched(patience: float = CALLING) -> None:
    """The `Heartbeat` of a command, which no watchdog watches."""


class Health:
    """The loop's report of its health. Written by the loop, read by the threads of server and watchdog."""

    def __init__(self, processor: str) -> None:
        self._processor = processor
        self._gauge = metrics.BEAT.labels(processor)
        self.beat()  # a gauge that begins at 0 looks like a loop that has stood still since 1970
        self._moved = -math.inf
        self.tables_loaded = False
        self.restored = False
        self.assigned = False
        self.waiting: str | None = None

    def beat(self, patience: float = CALLING) -> None:
        """A `Heartbeat`."""
        now = time.monotonic()
        self._beat, self._deadline = now, now + patience
        self._gauge.set_to_current_time()

    def moved(self) -> None:
        """The loop has completed a round, and brokers answer."""
        self._moved = time.monotonic()

    def stands_still(self) -> None:
        """No broker answers, or the loop has ended."""
        self._moved = -math.inf

    @property
    def alive(self) -> bool:
        return time.monotonic() < self._deadline

    @property
    def overdue(self) -> float:
        """Seconds since the loop should have reported; negative while there is time."""
        return time.monotonic() - self._deadline

    @property
    def moving(self) -> bool:
        return time.monotonic() - self._moved < STILL_AFTER

    @property
    def ready(self) -> bool:
        has_begun = self.tables_loaded and self.assigned and self.restored
        return has_begun and self.waiting is None and self.alive and self.moving

    def facts(self) -> dict[str, Any]:
        return {
            "processor": self._processor,
            "alive": self.alive,
            "ready": self.ready,
            "moving": self.moving,
            "assigned": self.assigned,
            "restored": self.restored,
            "tables_loaded": self.tables_loaded,
            "waiting": self.waiting,
            "seconds_since_beat": round(time.monotonic() - self._beat, 3),
        }


class Vitals(Protocol):
    """The interface between the health of a process and its HealthServer and watchdog."""

    @property
    def alive(self) -> bool: ...
    @property
    def overdue(self) -> float: ...
    @property
    def ready(self) -> bool: ...
    def facts(self) -> dict[str, Any]: ...


class SharedHealth:
    """The health of several loops in one process: all of them have to be alive, and all ready."""

    def __init__(self, processor: str, loops: Sequence[Health]) -> None:
        self._processor, self._loops = processor, loops

    @property
    def alive(self) -> bool:
        return all(health.alive for health in self._loops)

    @property
    def overdue(self) -> float:
        return max((health.overdue for health in self._loops), default=-CALLING)

    @property
    def ready(self) -> bool:
        return all(health.ready for health in self._loops)

    def facts(self) -> dict[str, Any]:
        return {
            "processor": self._processor,
            "alive": self.alive,
            "ready": self.ready,
            "loops": [health.facts() for health in self._loops],
        }
