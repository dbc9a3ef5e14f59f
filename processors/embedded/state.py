"""DATA/stack.json: which processes belong to a data folder, so that another process can look or clean up."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from json import JSONDecodeError, dumps, loads
from pathlib import Path

import psutil

from processors.embedded.staging import write_whole

CLOCK_STEP = 5.0
"""Seconds by which the start time of one and the same process may seem to differ after the clock was set."""

STOP = signal.SIGINT
"""Ends each of the servers in good order. Terminate would let Postgres wait until its last client has gone."""

PATIENCE = 20.0
"""Seconds that a server gets to end by itself before it is killed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, named so that a later one with the same id is not taken for it."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process if it is still there, else None."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_STEP
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True, slots=True)
class State:
    """What stack.json says. `addresses` is empty until everything is ready."""

    owner: Identity
    parts: Mapping[str, Identity] = field(default_factory=dict[str, Identity])
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    addresses: Mapping[str, str] = field(default_factory=dict[str, str])


def write_state(file: Path, state: State) -> None:
    write_whole(file, dumps(asdict(state)))


def read_state(file: Path) -> State | None:
    """None where no stack has run yet."""
    try:
        raw = loads(file.read_text("utf-8"))
        parts = {name: Identity(**identity) for name, identity in raw["parts"].items()}
        return State(Identity(**raw["owner"]), parts, raw["ports"], raw["addresses"])
    except (FileNotFoundError, JSONDecodeError, KeyError, TypeError):
        return None


def end_processes(identities: Iterable[Identity]) -> int:
    """End these processes and all their descendants: asked first, killed after PATIENCE. How many there were."""
    roots = [process for identity in identities if (process := identity.process())]
    family = [*roots, *(child for root in roots for child in descendants(root.pid))]
    for root in roots:
        _send(root, STOP)
    _, stubborn = psutil.wait_procs(family, timeout=PATIENCE)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=PATIENCE)
    return len(roots)


def descendants(pid: int) -> list[psutil.Process]:
    """Children, grandchildren and so on; empty when the process is gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
