from collections.abc import Iterator

import pytest
from examples.ground import Ground

from processors.embedded import Addresses


@pytest.fixture
def ground(stack: Addresses) -> Iterator[Ground]:
    ground = Ground(stack.bootstrap, stack.registry)
    yield ground
    ground.close()
