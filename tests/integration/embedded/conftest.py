"""A stack of one's own, for tests that kill and restart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.servers import own_servers

from processors.embedded import Stack


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that anybody may pass through: pytest's own is closed to the user that Postgres runs as."""
    with tempfile.TemporaryDirectory(prefix="compat-guard-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A running stack that the tests of one module may hurt, as long as they heal it."""
    with own_servers() as stack:
        yield stack
