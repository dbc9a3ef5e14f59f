from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples import commands

from processors.embedded import Addresses

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def command(guarded: Addresses) -> Iterator[Command]:
    """The command line as people run it, beside a checker that runs."""
    environment = {
        **os.environ,
        "GUARD_KAFKA__BOOTSTRAP": guarded.bootstrap,
        "GUARD_REGISTRY__URL": guarded.registry,
        "COLUMNS": "300",
    }

    def run(*words: str | Path, input: str = "") -> subprocess.CompletedProcess[str]:
        return commands.run(*words, environment=environment, input=input)

    checker = commands.start("run", "checker", environment=environment)
    yield run
    checker.terminate()
    assert checker.wait(60) == 0
