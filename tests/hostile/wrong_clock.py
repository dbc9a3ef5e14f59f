"""Runs a script, or a module with `-m`, with the clock of its process set wrong: first come milliseconds ahead."""

from __future__ import annotations

import runpy
import sys
import time


def set_ahead(milliseconds: int) -> None:
    """For this process only, and everything in it that asks Python for the time."""
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + milliseconds / 1000
    time.time_ns = lambda: right_ns() + milliseconds * 1_000_000


if __name__ == "__main__":
    set_ahead(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    if sys.argv[0] == "-m":
        sys.argv = sys.argv[1:]
        runpy.run_module(sys.argv[0], run_name="__main__")
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
