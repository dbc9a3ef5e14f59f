"""The heartbeat of a child process: bytes on a pipe to its supervisor, as long as its loop completes rounds.

A health port would do as well if there is one; a pipe is always there, and shows when its other end is gone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

VARIABLE = "PULSE_OF_COMPAT_GUARD"
"""Names the descriptor to a child. Set only by the supervisor; its name shows that it is not a setting."""


def heartbeat() -> Callable[[], None]:
    """What a processor calls while it is alive. Does nothing in a process without a supervisor."""
    given = os.environ.pop(VARIABLE, None)
    if given is None:
        return lambda: None
    end = int(given)
    os.set_blocking(end, False)

    def beat() -> None:
        with suppress(OSError):  # the pipe is full, or the supervisor is gone
            os.write(end, b".")

    return beat


class HeartbeatPipe:
    """The supervisor's end of one child's pipe."""

    def __init__(self) -> None:
        self._here, self.there = os.pipe()
        os.set_blocking(self._here, False)
        self._heard = time.monotonic()

    def environment(self) -> Mapping[str, str]:
        return {VARIABLE: str(self.there)}

    def started(self) -> None:
        """The child has its end; ours must be closed, or the child's death would not close the pipe."""
        os.close(self.there)

    def silence(self) -> float:
        """Seconds since the child's last heartbeat, or since it was started."""
        with suppress(BlockingIOError):
            if os.read(self._here, 4096):
                self._heard = time.monotonic()
        return time.monotonic() - self._heard

    def close(self) -> None:
        os.close(self._here)
