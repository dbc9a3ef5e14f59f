"""Commands of ours that run beside the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def child(*words: str, environment: Mapping[str, str], log: Path) -> Generator[None]:
    """`compat-guard` with these words in a child, until the block ends. A Ctrl-C is for us, and we end it."""
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
