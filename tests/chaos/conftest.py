from collections.abc import Iterator

import pytest
from examples.checkers import Desk
from examples.guard import Guard
from examples.servers import own_servers

from processors.embedded import Addresses, Stack


@pytest.fixture(scope="module")
def own(stack: Addresses) -> Iterator[Stack]:
    """The real topics are its checkers' alone, and its broker and database may be stopped.

    For one module: to start is cheap, and to idle to the end of a run is not.
    """
    with own_servers(stack.registry) as servers:
        yield servers


@pytest.fixture(scope="module")
def desk(own: Stack) -> Iterator[Desk]:
    guard = Guard(own.addresses)
    desk = Desk(guard)
    yield desk
    desk.close()
    guard.close()
