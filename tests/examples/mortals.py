"""Processes that kill themselves at one step of a transaction, one at each step, while there is work for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]

Start = Callable[[int, "tuple[str, ...]"], "subprocess.Popen[bytes]"]
"""Starts the worker of an ordinal by a script and its first arguments."""


def mortal(step: str, survived: int) -> tuple[str, ...]:
    return (str(TESTS / "chaos" / "mortal_worker.py"), step, str(survived))


def until_all_have_died(start: Start, steps: Sequence[str], write: Callable[[], None], survived: int) -> None:
    """One worker for each step at once, and portions until the last one has killed itself."""
    workers = [start(ordinal, mortal(step, survived)) for ordinal, step in enumerate(steps)]
    try:
        until = time.monotonic() + 90
        while [worker for worker in workers if worker.poll() is None]:
            assert time.monotonic() < until, dict(zip(steps, [w.poll() for w in workers], strict=True))
            write()
            time.sleep(0.5)
    finally:
        for worker in workers:
            worker.kill()
    assert {worker.wait() for worker in workers} == {-signal.SIGKILL}


def started(command: list[str], log: Path, **variables: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    with log.open("ab") as log_file:
        return subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | variables | {"PYTHONPATH": path},
            stdout=log_file,
            stderr=log_file,
        )
