"""Commands as people type them, run in this process: a process for each would take most of a test's time."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from processors.cli import main
from processors.configuration.settings import settings


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def typed(*words: str, environment: Mapping[str, str]) -> Done:
    """Run one command under exactly these variables."""
    said, told, code = io.StringIO(), io.StringIO(), 0
    settings.cache_clear()
    with (
        patch.dict(os.environ, environment, clear=True),
        patch("sys.argv", ["compat-guard", *words]),
        redirect_stdout(said),
        redirect_stderr(told),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            settings.cache_clear()
    return Done(code, said.getvalue(), told.getvalue())
