"""Servers of a test's own, for those who stop some, or need a broker that nobody else writes to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from processors.embedded import Stack, postgres
from processors.embedded.part import Part
from processors.embedded.ports import ports_of


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


@contextmanager
def own_postgres() -> Iterator[str]:
    """The URL of a superuser of a Postgres that nobody has used: it has no role but that one."""
    with (
        tempfile.TemporaryDirectory(prefix="compat-guard-test-") as name,
        ThreadPoolExecutor(1) as spawner,
    ):
        folder = Path(name)
        ports = ports_of(folder / "ports.json")
        server = Part(postgres.postgres(folder / "postgres", ports), folder / "log", spawner, lambda: None)
        server.start()
        try:
            yield postgres.url(folder / "postgres", ports)
        finally:
            server.stop()
