"""The garbage collector, out of the way of whoever builds something large that stays."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


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
