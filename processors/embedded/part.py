"""One server of the stack: a child process that can be stopped, killed and started again on the same port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

import psutil

from processors.embedded.state import PATIENCE, STOP, Identity, descendants
from processors.errors import PortTaken, StackPartFailed

LEASH = Path(__file__).with_name("leash.py")
START_WITHIN = 90.0
ENDS_WITHIN = 3.0
"""Seconds that a server has to end after it said that it cannot start."""
TAIL = 20
PORT_TAKEN = ("address already in use", "seems to be in use by another process")
"""How Kafka and Postgres, and the registry, say that somebody else listens on their port; in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a server is started. It gets nothing of the caller's environment except `environment`."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[IO[bytes]], None]
    """Makes the data folder where there is none; what its programs say goes to the log that it is given.
    Called before every start, so it must be idempotent."""
    is_ready: Callable[[int, str], bool]
    """Whether the process with this id, whose log since the start is this text, serves its clients."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str = ""
    gives_up: tuple[str, ...] = ()
    """What it says, one or the other, when it cannot start and its process may go on for ever."""


class Part:
    """A server and its process. `start`, `stop` and `kill` may be called in any order, from one thread at a time.

    The process dies with the thread behind `spawner` (see leash.py), and with this process at the latest.
    """

    def __init__(self, recipe: Recipe, log: Path, spawner: Executor, on_change: Callable[[], None]) -> None:
        self.name = recipe.name
        self.log = log
        self._recipe = recipe
        self._spawner = spawner
        self._on_change = on_change
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Of the running process; None while there is none."""
        return self._process.pid if self.is_alive and self._process else None

    @property
    def identity(self) -> Identity | None:
        """Of the process that was started last, running or not."""
        return self._identity

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, ready or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """As subprocess has it: negative for a signal, None while it runs or before the first start."""
        return self._process.poll() if self._process else None

    def start(self, called_off: Event | None = None) -> None:
        """Return when the server serves. Does nothing if it runs already.

        Raises PortTaken when somebody else listens on its port, and StackPartFailed for anything else; also soon
        after `called_off` is set. It may run then: `stop` ends it.
        """
        if self.is_alive:
            return
        called_off = called_off or Event()
        try:
            with self._open_log() as log:
                self._recipe.prepare(log)
                if called_off.is_set():
                    raise self._failed("called off")
                self._spawn(log)
        except subprocess.CalledProcessError as error:
            raise self._failed(f"`{Path(error.cmd[0]).name}` ended with code {error.returncode}") from error
        except (OSError, psutil.Error) as error:
            raise self._failed(str(error)) from error
        self._await_ready(called_off)

    def stop(self, patience: float = PATIENCE) -> None:
        """End the server in good order, and kill it when it takes longer than that many seconds."""
        self._end(STOP, patience)

    def kill(self) -> None:
        """End it as a crash would, together with its own children."""
        self._end(signal.SIGKILL)

    def log_tail(self, lines: int = TAIL) -> str:
        """The last lines that the server wrote since its last start."""
        return "\n".join(self._log_text().splitlines()[-lines:])

    def _open_log(self) -> IO[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        log = self.log.open("ab")
        self._log_start = log.tell()
        return log

    def _spawn(self, log: IO[bytes]) -> None:
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), self._recipe.user]
        self._process = self._spawner.submit(
            subprocess.Popen,
            [*leash, *self._recipe.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"LANG": "C.UTF-8", "TZ": "UTC", **self._recipe.environment},
            start_new_session=True,  # a Ctrl-C in the terminal is for us; we end the servers in order
        ).result()
        self._identity = Identity.of(self._process.pid)
        self._on_change()

    def _await_ready(self, called_off: Event) -> None:
        deadline = time.monotonic() + START_WITHIN
        while (pid := self.pid) is not None:
            said = self._log_text()
            if self._recipe.is_ready(pid, said):
                return
            if self._gave_up(said):
                self._end_after_giving_up()
                break
            if time.monotonic() > deadline:
                self.kill()
                raise self._failed(f"not ready within {START_WITHIN:.0f} seconds")
            if called_off.wait(0.05):
                raise self._failed("called off")
        said = self._log_text()
        why = "it gave up" if self._gave_up(said) else f"it ended with code {self.exit_code}"
        port_taken = any(sign in said.lower() for sign in PORT_TAKEN)
        raise self._failed(why, PortTaken if port_taken else StackPartFailed)

    def _gave_up(self, said: str) -> bool:
        return any(sign in said for sign in self._recipe.gives_up)

    def _end_after_giving_up(self) -> None:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDS_WITHIN)
        self.kill()

    def _end(self, number: int, patience: float = PATIENCE) -> None:
        if self._process is None:
            return
        family = descendants(self._process.pid)
        self._process.send_signal(number)  # subprocess knows if it has ended, and then sends nothing
        if number == signal.SIGKILL:
            for child in family:
                child.send_signal(number)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
        psutil.wait_procs(family, timeout=PATIENCE)
        self._on_change()

    def _log_text(self) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def _failed(self, why: str, error: type[StackPartFailed] = StackPartFailed) -> StackPartFailed:
        return error(self.name, f"{why}; its log is `{self.log}`", self.log_tail())


def start_together(parts: Sequence[Part]) -> None:
    """Start all at once. The first that fails, or an interrupt, calls the others off; they may still run then."""
    called_off = Event()
    with ThreadPoolExecutor(len(parts)) as pool:
        try:
            for started in as_completed([pool.submit(part.start, called_off) for part in parts]):
                started.result()
        except BaseException:
            called_off.set()
            raise
