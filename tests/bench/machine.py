"""The machine that was measured on, and whether anybody else used it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

QUIET: Final = 0.1
"""Share of the machine that others may use without a word."""

_LOOK: Final = 3.0
"""Seconds for which the others are watched before the first measurement."""


@dataclass(frozen=True)
class Machine:
    cores: int
    gigabytes: float
    processor: str
    python: str
    busy: float
    """Share of all cores that others used before the first measurement."""


def of_this_machine() -> Machine:
    busy = psutil.cpu_percent(interval=_LOOK) / 100
    gigabytes = psutil.virtual_memory().total / 2**30
    return Machine(psutil.cpu_count() or 1, gigabytes, _processor(), platform.python_version(), busy)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
