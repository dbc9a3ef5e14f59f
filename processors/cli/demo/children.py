"""Child processes of the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def child(*words: str, environment: Mapping[str, str], log: Path) -> Generator[None]:
    """Run `compat-guard` with these arguments in a child, until the block ends.

    Ctrl-C reaches only us; we end the child.
    """
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "processors.cli", *words],
            env={**os.environ, **environment},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
