"""`compat-guard` in processes of its own, for tests that type many commands.

To read the guard's modules takes Python most of a command's time. So one process has read them, and each command is
a fork of it, with the environment, the folder, and the files that `subprocess` would give it. What is not the same:
its hash seed, and all that happens before `main`. Tests of the command line itself start it as users do.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
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
    argv = ["compat-guard", *map(str, words)]
    request = json.dumps({"words": argv[1:], "environment": dict(environment), "cwd": str(cwd or Path.cwd())})
    with ExitStack() as closing:
        asked, typed, out, err = files = [closing.enter_context(tempfile.TemporaryFile()) for _ in range(4)]
        for file, text in ((asked, request), (typed, input)):
            file.write(text.encode())
            file.seek(0)
        code = _run([file.fileno() for file in files], argv, timeout)
        return CompletedProcess(argv, code, _text(out), _text(err))


def _run(files: list[int], argv: list[str], timeout: float) -> int:
    with _starting:
        address = _forking()
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("r") as said:
        connection.settimeout(timeout)
        connection.connect(address)
        socket.send_fds(connection, [b"."], files)
        pid = int(said.readline())
        try:
            return int(said.readline())
        except TimeoutError as late:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(argv, timeout) from late


@cache
def _forking() -> str:
    """The address of the process that commands are forks of. It ends with this one."""
    address = str(Path(tempfile.mkdtemp(prefix="compat-guard-forking-")) / "socket")
    process = subprocess.Popen(
        [sys.executable, str(FORKING), address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    atexit.register(process.communicate)
    assert process.stdout.readline() == b"ready\n"
    return address


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
