"""The garbage collector, out of the way of whoever makes many values, or few that stay.

Values are freed as their last reference goes; the collector only looks for circles among those that are left. How
often it looks follows from how many were made, and how long it takes from how many are alive.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 50_000
"""Values after which the young ones are looked through: about those of one batch. By default it is 700, so that the
values of a batch are looked through some sixty times while it is handled, at more than half of its whole cost."""

OLDER: Final = (20, 100)
"""Passes over the young after which the older are looked through, and those after which all are."""


@contextmanager
def collector_paused() -> Generator[None]:
    """A million values that stay are no garbage; looking through them again and again takes up to half the time.

    For the whole process, so not for longer than something is read.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def collector_eased(young: int = YOUNG) -> Generator[None]:
    """For a process that handles batches: look seldom, and at nothing that was there at the beginning."""
    before = gc.get_threshold()
    gc.set_threshold(young, *OLDER)
    gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def keep() -> None:
    """From here on, look at nothing of what is alive now. Takes no time, and keeps what is garbage already."""
    gc.freeze()


def keep_anew() -> None:
    """As `keep`, for when something else has come to stay: what was kept before and is garbage by now goes.

    Takes about a second for a matrix of a million rows.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
