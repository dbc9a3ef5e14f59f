"""Starting the command line: what the processor works from the shell's call to the end, waits left out."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

RUNS: Final = 15
_ROOT: Final = Path(__file__).parents[2]
_GUARD: Final = (sys.executable, "-m", "processors.cli")

COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "base": (sys.executable, "-c", "import typer, rich"),
    "floor": (sys.executable, "-c", "import typer, rich.text\n@typer.run\ndef main(one: str = '') -> None: ..."),
    "help": (*_GUARD, "--help"),
    "check": (
        *_GUARD,
        "check",
        *("--manifest", str(_ROOT / "scripts" / "demo.plugins" / "inventory-sync-1.5.0.yaml")),
        *("--host", "corex@1.9.0"),
        *("--matrix", str(_ROOT / "config" / "compat_matrix.yaml")),
    ),
}
"""`floor` is the least that a command with one option can be: typer reads options with pydantic."""


def measured() -> Mapping[str, float]:
    """Seconds of the processor for each, the median of some runs in which all take turns."""
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            spent[name].append(_seconds(command))
    return {name: statistics.median(each) for name, each in spent.items()}


def _seconds(command: Sequence[str]) -> float:
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:  # 1 is a block, which the check ends with
        raise RuntimeError(f"`{' '.join(command)}` ended with {process.returncode}")
    return used.ru_utime + used.ru_stime
