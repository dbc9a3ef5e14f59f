"""Reads the guard's modules once, and runs each command as a fork; see commands.py.

`python forking.py SOCKET commands` or, for what `run` runs, `processors`.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import shutil
import socket
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

LATER = ("confluent_kafka", "httpx", "rich.console", "rich.table", "sqlalchemy", "processors.bootstrap.processors")
"""What most commands read when they begin to work."""

ROOMS = (
    "processors.bootstrap.answering",
    "processors.bootstrap.exception_workflow",
    "processors.bootstrap.ledger",
    "processors.bootstrap.relay",
    "processors.bootstrap.security_context",
    "processors.checker.processor",
    "processors.gateway.start",
    "processors.staleness.processor",
)
"""What each processor and the gateway read when they start."""


def prepare(kind: str) -> None:
    """All that a command may need. No file of the caller's is read, and no thread started."""
    from processors.cli.root import COMMANDS

    gc.disable()  # as `main` does until all is read
    modules = {f"processors.cli.{entry.target.partition(':')[0]}" for entry in COMMANDS.values()}
    for name in (*LATER, *(ROOMS if kind == "processors" else sorted(modules))):
        import_module(name)


def serve(address: str) -> None:
    """Returns in each fork, set up as a command; ends with whoever started it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, 0], [], [])
            if 0 in ready:
                shutil.rmtree(Path(address).parent, ignore_errors=True)
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return attend(connection)
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def attend(connection: socket.socket) -> None:
    """Returns in another fork, whose end this process waits for and tells."""
    _, files, _, _ = socket.recv_fds(connection, 1, 4)
    with open(files[0]) as request:
        asked = json.load(request)
    if (command := os.fork()) == 0:
        connection.close()
        for number, file in enumerate(files[1:]):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["cwd"])
        sys.argv[1:] = asked["words"]
        return
    with suppress(BrokenPipeError):  # nobody waits any more
        connection.sendall(f"{command}\n".encode())
        _, status = os.waitpid(command, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def end(code: object) -> None:
    """Like the interpreter, but without taking the modules apart, which would copy them all first."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for all threads that are no daemons
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    sys.path[0] = ""  # as for `python -m`, and not this folder
    prepare(sys.argv[2])
    serve(sys.argv[1])
    try:
        runpy.run_module("processors.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        end(ended.code)
    except BaseException:  # noqa: BLE001 - told as the interpreter would
        traceback.print_exc()
        end(1)
