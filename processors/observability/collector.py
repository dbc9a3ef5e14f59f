"""Tunes the garbage collector for code that creates many short-lived or many long-lived values.

Values are freed when their last reference goes; the collector only looks for cycles among the others. How often it
runs depends on how many values are created, and how long a run takes on how many are alive.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 50_000
"""New values after which the youngest generation is collected: about those of one batch.

With the default of 700, the values of a batch are traversed some sixty times while it is handled, at more than half
of its whole cost.
"""

MIDDLE: Final = 20
"""Collections of the youngest generation after which the middle one is collected."""

ALL: Final = 100
"""Collections of the middle generation after which all are."""


@contextmanager
def collector_paused() -> Generator[None]:
    """Pause the collector while long-lived values are created: traversing a million of them again and again takes
    up to half the time.

    This affects the whole process, so it must not last longer than reading a document.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def collector_eased(young: int = YOUNG, middle: int = MIDDLE) -> Generator[None]:
    """For a process that handles batches: collect rarely, and exclude everything that exists at the beginning."""
    before = gc.get_threshold()
    gc.set_threshold(young, middle, ALL)
    gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def freeze() -> None:
    """Exclude all values that are alive now from collection. Takes no time; present garbage is excluded too."""
    gc.freeze()


def freeze_again() -> None:
    """As `freeze`, after new long-lived values were created. Excluded values that are garbage by now are freed.

    Takes about a second for a matrix of a million rows.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
