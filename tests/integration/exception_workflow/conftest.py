from collections.abc import Iterator

import pytest
from examples.guard import Guard

from processors.embedded import Addresses


@pytest.fixture(scope="module")
def guard(guarded: Addresses) -> Iterator[Guard]:
    guard = Guard(guarded)
    yield guard
    guard.close()
