"""A person at the command line, beside a checker and an exception workflow that run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from examples import commands
from examples.case_c1 import MANIFEST, MATRIX

from processors.embedded import Addresses

RISK = "The warehouse stands still without it, and the host is upgraded on Friday."
PROCESSORS = ("checker", "exception-workflow")


class Shell:
    """Runs `compat-guard` as a person does."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment, self.folder = environment, folder
        self._running = dict[str, commands.Started]()

    def __call__(self, *words: str, code: int = 0) -> str:
        return self._done(words, code).stdout.strip()

    def told(self, *words: str, code: int) -> str:
        """What a person reads besides the answer."""
        return self._done(words, code).stderr

    def _done(self, words: tuple[str, ...], code: int) -> subprocess.CompletedProcess[str]:
        done = commands.run(*words, environment=self._environment)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    def start(self, *processors: str) -> None:
        for name in processors:
            self._running[name] = commands.start("run", name, environment=self._environment)

    def stop(self, *processors: str) -> None:
        stopped = [self._running.pop(name) for name in processors]
        for process in stopped:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in stopped] == [0] * len(stopped)


@contextmanager
def a_shell(guarded: Addresses, folder: Path) -> Iterator[Shell]:
    """With the manifest of case C-1 in its folder, and the matrix that blocks it published."""
    environment = os.environ | {
        "GUARD_KAFKA__BOOTSTRAP": guarded.bootstrap,
        "GUARD_REGISTRY__URL": guarded.registry,
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    (folder / "plugin.yaml").write_text(MANIFEST)
    (folder / "matrix.yaml").write_text(MATRIX)
    shell = Shell(environment, folder)
    shell("matrix", "publish", str(folder / "matrix.yaml"))
    shell.start(*PROCESSORS)
    yield shell
    shell.stop(*PROCESSORS)
