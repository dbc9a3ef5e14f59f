"""Closing a client of Kafka, which may have no end of its own."""

from __future__ import annotations

import threading
from typing import Any, cast

from processors.stream.io import clients


class Stuck:
    """A client whose closing waits for what does not come."""

    def __init__(self) -> None:
        self.released, self.closed = threading.Event(), threading.Event()

    def close(self) -> None:
        self.released.wait(60)
        self.closed.set()


def test_a_client_that_does_not_close_is_left_behind() -> None:
    """The loop ends all the same, and its supervisor starts it afresh."""
    stuck = Stuck()

    clients.close(cast(Any, stuck), patience=0.01)

    assert not stuck.closed.is_set()
    stuck.released.set()
    assert stuck.closed.wait(60)


def test_a_client_that_closes_is_waited_for() -> None:
    prompt = Stuck()
    prompt.released.set()

    clients.close(cast(Any, prompt))

    assert prompt.closed.is_set()
