"""`compat-guard` in processes of its own, for tests that type many commands and start many processors.

To read the guard's modules takes Python most of a command's time, and two seconds of a gateway's start. So one
process has read them, and each command is a fork of it, with the environment, the folder, and the files that
`subprocess` would give it. What is not the same: its hash seed, and all that happens before `main`. Tests of the
command line itself start it as users do.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO

FORKING = Path(__file__).with_name("forking.py")

_starting = threading.Lock()


def run(
    *words: str | Path,
    environment: Mapping[str, str],
    input: str = "",
    cwd: Path | None = None,
    timeout: float = 120,
) -> CompletedProcess[str]:
    """One command, to its end; as `subprocess.run` with captured output. Several may run at once."""
    with ExitStack() as closing:
        typed, out, err = (closing.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        typed.write(input.encode())
        typed.seek(0)
        command = Started("commands", words, environment, [file.fileno() for file in (typed, out, err)], cwd)
        try:
            code = command.wait(timeout)
        except subprocess.TimeoutExpired:
            command.kill()
            raise
        return CompletedProcess(command.args, code, _text(out), _text(err))


def start(
    *words: str, environment: Mapping[str, str], log: IO[bytes] | None = None, cwd: Path | None = None
) -> Started:
    """One that runs until it is told to end. What it says goes to `log`, or else where the caller's errors go."""
    with open(os.devnull, "rb") as nobody:
        said = log.fileno() if log else sys.stderr.fileno()
        return Started("processors", words, environment, (nobody.fileno(), said, said), cwd)


class Started:
    """A command that runs. As `subprocess.Popen`, as far as tests need it; from one thread at a time."""

    def __init__(
        self,
        kind: str,
        words: Sequence[str | Path],
        environment: Mapping[str, str],
        files: Sequence[int],
        cwd: Path | None = None,
    ) -> None:
        self.args = ["compat-guard", *map(str, words)]
        self.returncode: int | None = None
        with _starting:
            address = _forking(kind)
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(address)
        request = {"words": self.args[1:], "environment": dict(environment), "cwd": str(cwd or Path.cwd())}
        with tempfile.TemporaryFile() as asked:
            asked.write(json.dumps(request).encode())
            asked.seek(0)
            socket.send_fds(self._connection, [b"."], [asked.fileno(), *files])
            self.pid = self._number()

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = self._number()
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        """A line of what the fork's parent says, and nothing behind it, so that `wait` sees what comes."""
        line = b""
        while not line.endswith(b"\n"):
            line += self._connection.recv(1) or b"\n"
        return int(line)


@cache
def _forking(kind: str) -> str:
    """The address of the process that commands are forks of. It ends with this one."""
    address = str(Path(tempfile.mkdtemp(prefix="compat-guard-forking-")) / "socket")
    process = subprocess.Popen(
        [sys.executable, str(FORKING), address, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    atexit.register(process.communicate)
    assert process.stdout.readline() == b"ready\n"
    return address


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
