from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.guard import Guard
from examples.relaying import Relaying

from processors.embedded import Addresses


@pytest.fixture(scope="module")
def guard(stack: Addresses) -> Iterator[Guard]:
    guard = Guard(stack)
    yield guard
    guard.close()


@pytest.fixture
def relaying(guard: Guard, tmp_path: Path) -> Relaying:
    return Relaying(guard, tmp_path)
