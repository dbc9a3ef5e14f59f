"""The servers that tests meet: one stack for each worker, started by the first test that asks."""

from __future__ import annotations

import gc
import json
import os
import random
from collections.abc import Iterator
from itertools import groupby, zip_longest
from pathlib import Path

import pytest
from examples.guard import Guard
from examples.servers import own_servers
from hypothesis import HealthCheck, settings

from processors.embedded import Addresses

UNIT = Path(__file__).with_name("unit")

settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
"""The same examples on every run, so that one that fails is a change's fault; `--hypothesis-profile explore` looks
for others."""


def pytest_collection() -> None:
    """Nothing that is collected is garbage, and to look for it costs a tenth of the processor time."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that may take the longest first. After each that waits for servers one of rules, so that there is work
    while others wait; the rest of the rules, which are short, even out the end. `GUARD_TEST_ORDER` is a seed that
    shuffles them: what one leaves on its worker's servers must not matter to another."""
    files = [list(of) for _, of in groupby(items, lambda item: item.path)]
    if seed := os.environ.get("GUARD_TEST_ORDER"):
        random.Random(seed).shuffle(files)
        items[:] = [item for of in files for item in of]
        return
    rules = [of for of in files if UNIT in of[0].path.parents]
    others = sorted((of for of in files if UNIT not in of[0].path.parents), key=_may_take, reverse=True)
    items[:] = [item for pair in zip_longest(others, rules, fillvalue=()) for of in pair for item in of]


def _may_take(file: list[pytest.Item]) -> float:
    """The time limit of its longest test, in seconds; 0 where none has one of its own."""
    return max((mark.args[0] for item in file for mark in item.iter_markers("timeout") if mark.args), default=0)


def pytest_collection_finish() -> None:
    """What tests make goes with its last reference; to look for circles so seldom saves a worker a tenth."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture(scope="session")
def stack() -> Iterator[Addresses]:
    """Kafka, the schema registry and Postgres. Shared, so a test uses names of its own and stops nothing.

    `GUARD_TEST_STACK`, the line that `compat-guard stack up --json` prints, names one that runs already; it is for
    a single worker.
    """
    if given := os.environ.get("GUARD_TEST_STACK"):
        yield Addresses.from_json(json.loads(given))
        return
    with own_servers() as servers:
        yield servers.addresses


@pytest.fixture(scope="module")
def guarded(stack: Addresses) -> Addresses:
    """The same, with the guard's own topics, no matrix or policy in effect, and no ledger.

    These topics, their groups and the identities of the processors are there once on a broker, so a module that
    uses them has them to itself, and leaves requests and exceptions of names of its own behind.
    """
    guard = Guard(stack)
    guard.forget_matrix_and_policies()
    guard.forget_ledger(stack)
    guard.close()
    return stack
