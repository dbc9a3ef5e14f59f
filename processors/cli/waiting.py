"""Waiting at the terminal: shows what is being waited for, enforces a time limit, and reacts to Ctrl-C at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

from processors.cli import ASKING, talk
from processors.client.transport import Tell
from processors.errors import Unavailable

T = TypeVar("T")

_LOOK_EVERY = 0.05
"""Seconds. Short enough for a person; a sleeping main thread reacts to Ctrl-C."""


class OutOfTime(Unavailable):
    """The time limit is over. `awaited` is what has not answered."""

    def __init__(self, patience: float, awaited: str) -> None:
        super().__init__(f"no answer within {patience:g} s from {awaited}")
        self.awaited = awaited


def await_answer(work: Callable[[Tell], T], patience: float, about: str = "") -> T:
    """The result or error of `work`, at most `patience` seconds from now. `about` is printed first, on stderr.

    `work` runs in its own thread, because a client library that looks for a broker observes neither a deadline nor
    Ctrl-C. It reports what it waits for, such as "a checker"; a terminal shows that. After the limit OutOfTime
    names it, after Ctrl-C KeyboardInterrupt is raised; the thread is abandoned, and ends with the process. Call it
    from the main thread.
    """
    running, console, until = _Running(work), talk(), time.monotonic() + patience
    with _heard() as interrupted:
        if about:
            console.print(about, style="dim", highlight=False)
        threading.Thread(target=running, daemon=True, name=ASKING).start()
        with console.status("") as shown:
            while not running.ended.wait(_LOOK_EVERY):
                shown.update(f"waiting for {running.awaited}")
                if interrupted.is_set():
                    raise KeyboardInterrupt
                if time.monotonic() >= until:
                    raise OutOfTime(patience, running.awaited)
    return running.result()


@contextmanager
def _heard() -> Generator[threading.Event]:
    """Ctrl-C as an event: as an exception it can be lost in a finalizer or a callback."""
    interrupted = threading.Event()

    def interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - a handler's signature
        interrupted.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class _Running(Generic[T]):
    def __init__(self, work: Callable[[Tell], T]) -> None:
        self.awaited = "the servers"
        self.ended = threading.Event()
        self._work = work
        self._results: list[T] = []
        self._failure: BaseException | None = None

    def __call__(self) -> None:
        try:
            self._results.append(self._work(self._tell))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._failure = error
        finally:
            self.ended.set()

    def result(self) -> T:
        if self._failure is not None:
            raise self._failure
        return self._results[0]

    def _tell(self, awaited: str) -> None:
        self.awaited = awaited
