from collections.abc import Iterator

import pytest
from examples.checkers import Desk
from examples.guard import Guard

from processors.embedded import Stack


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of one's own: the real topics are its checkers' alone, and its servers may be stopped."""
    with Stack(tmp_path_factory.mktemp("own") / "data") as stack:
        yield stack


@pytest.fixture(scope="session")
def desk(own: Stack) -> Iterator[Desk]:
    guard = Guard(own.addresses)
    desk = Desk(guard)
    yield desk
    desk.close()
    guard.close()
