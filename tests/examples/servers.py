"""Servers of a test's own, for those who stop some, or need a broker that nobody else writes to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processors.embedded import Stack


@contextmanager
def own_servers(registry: str | None = None) -> Iterator[Stack]:
    """A broker and a Postgres, and the registry at an address, which is cheaper than one of one's own.

    Not in pytest's folder, which is closed to the user that Postgres runs as.
    """
    with (
        tempfile.TemporaryDirectory(prefix="compat-guard-test-") as folder,
        Stack(Path(folder), registry=registry) as stack,
    ):
        yield stack
