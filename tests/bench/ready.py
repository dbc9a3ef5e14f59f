"""From the start of a process to a checker that is ready: its group joined, its tables read."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Final

import httpx

from processors.embedded.ports import free_port

RUNS: Final = 5


def measured(addresses: Mapping[str, str]) -> float:
    """Seconds, the median of some runs one after the other. `addresses` are variables of a child."""
    return statistics.median(_seconds(addresses) for _ in range(RUNS))


def _seconds(addresses: Mapping[str, str]) -> float:
    port = free_port()
    variables = {"GUARD_HEALTH_PORT": str(port), "GUARD_LOG_LEVEL": "warning"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "processors.cli", "run", "checker"], env={**os.environ, **addresses, **variables}
    )
    try:
        await_ready(f"http://127.0.0.1:{port}/readyz", every=0.02)
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


def await_ready(url: str, every: float = 0.1) -> None:
    """Ask every so many seconds. Raises RuntimeError after a minute."""
    until = time.monotonic() + 60
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < until:
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(every)
    raise RuntimeError(f"nothing became ready at {url}")
