"""Inspects and stops the stack of a data folder from another process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from processors.embedded.ports import answers
from processors.embedded.stack import lock_of, state_file
from processors.embedded.state import PATIENCE, Identity, end_processes, read_state

PARTS = ("kafka", "registry", "postgres")


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One server. `starting` means that its process runs and its port does not answer."""

    name: str
    state: Literal["up", "starting", "down"]
    pid: int | None
    port: int | None


@dataclass(frozen=True, slots=True)
class StackStatus:
    """`up` is true when all parts are. `addresses` is empty until they have been once."""

    up: bool
    parts: tuple[PartStatus, ...]
    addresses: Mapping[str, str]


def inspect(data: Path) -> StackStatus:
    """The status of the stack in this folder, even if none has ever run."""
    state = read_state(state_file(data.expanduser().resolve()))
    if state is None:
        return StackStatus(False, tuple(PartStatus(name, "down", None, None) for name in PARTS), {})
    parts = tuple(_part(name, state.parts.get(name), state.ports.get(name)) for name in PARTS)
    up = all(part.state == "up" for part in parts)
    return StackStatus(up, parts, state.addresses if up else {})


def bring_down(data: Path) -> bool:
    """Stop the stack in this folder; True if there was one.

    Its owner is asked first and killed if it does not react; servers that outlived their owner are stopped too.
    Only processes that the folder's own record names, with the same start time, are touched.
    """
    folder = data.expanduser().resolve()
    state = read_state(state_file(folder))
    if state is None:
        return False
    held = _let_go(folder, state.owner)
    return bool(end_processes(state.parts.values())) or held


def _let_go(folder: Path, owner: Identity) -> bool:
    """Make the owner of the folder release it; False if there is none."""
    lock = lock_of(folder)
    if lock.acquire(wait=False):
        lock.release()
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        if owner.process():
            with suppress(ProcessLookupError):
                os.kill(owner.pid, number)
        deadline = time.monotonic() + 1.5 * PATIENCE
        while time.monotonic() < deadline:
            if lock.acquire(wait=False):
                lock.release()
                return True
            time.sleep(0.1)
    return True


def _part(name: str, identity: Identity | None, port: int | None) -> PartStatus:
    process = identity.process() if identity else None
    if process is None:
        return PartStatus(name, "down", None, port)
    return PartStatus(name, "up" if port and answers(port) else "starting", process.pid, port)
