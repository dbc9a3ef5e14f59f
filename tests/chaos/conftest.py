import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.checkers import Desk
from examples.guard import Guard

from processors.embedded import Stack


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    """A stack of one's own: the real topics are its checkers' alone, and its servers may be stopped.

    For one module: to start is cheap, and to idle to the end of a run is not.
    """
    with tempfile.TemporaryDirectory(prefix="compat-guard-") as folder, Stack(Path(folder)) as stack:
        yield stack


@pytest.fixture(scope="module")
def desk(own: Stack) -> Iterator[Desk]:
    guard = Guard(own.addresses)
    desk = Desk(guard)
    yield desk
    desk.close()
    guard.close()
