"""Steady traffic for as many minutes as `GUARD_SOAK` says: every request has one answer, and no memory grows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import median

import pytest
from bench import subjects
from examples.checkers import Desk, by_request
from examples.ground import eventually

from processors.cli.demo.commands import environment_of
from processors.embedded import Stack
from processors.events.topics import DEAD_LETTERS, INSTALL_REQUESTS, RESULTS
from processors.ledger.database import migrate
from processors.ledger.keys import new_keys, write_keys

MINUTES = float(os.environ.get("GUARD_SOAK", "0"))

pytestmark = [
    pytest.mark.stack,
    pytest.mark.chaos,
    pytest.mark.timeout(MINUTES * 60 + 600),
    pytest.mark.skipif(not MINUTES, reason="GUARD_SOAK=60 lets traffic flow for an hour"),
]

PROCESSORS = ("checker", "exception-workflow", "ledger", "staleness")
A_SECOND = 40
"""Requests; each asks what was never asked before, so that whatever is remembered fills up to its bound."""

GROWTH, SPARE = 1.1, 16.0
"""By what the second half may have more than the first: a tenth, and so many MiB that an allocator keeps."""


@contextmanager
def processor(name: str, own: Stack, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **environment_of(own.addresses), "GUARD_LEDGER__KEYS": str(folder / "keys.json")}
    environment |= {"GUARD_LEDGER__COMPARE_EVERY": "20", "GUARD_LOG_LEVEL": "warning"}
    with (folder / f"{name}.log").open("ab") as log:
        command = [sys.executable, "-m", "processors.cli", "run", name]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def mebibytes(process: subprocess.Popen[bytes]) -> float:
    """What of its memory is resident."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process has no memory")


def test_memory_stays_flat_under_steady_traffic(own: Stack, desk: Desk, tmp_path: Path) -> None:
    """The first quarter is for warming up. What comes after it is halved, and the halves are compared."""
    migrate(own.addresses.postgres)
    write_keys(tmp_path / "keys.json", new_keys())
    others, refused = by_request(desk.ground.read(RESULTS)).keys(), len(desk.ground.read(DEAD_LETTERS))
    numbers, sent, memory = count(1), 0, {name: list[float]() for name in PROCESSORS}
    with ExitStack() as running:
        started = {name: running.enter_context(processor(name, own, tmp_path)) for name in PROCESSORS}
        until = time.monotonic() + MINUTES * 60
        while (now := time.monotonic()) < until:
            requests = list(subjects.requests(desk.encode, numbers, A_SECOND))
            desk.ground.write(INSTALL_REQUESTS, [(request.key, request.value) for request in requests])
            sent += len(requests)
            assert {name: process.poll() for name, process in started.items()} == dict.fromkeys(PROCESSORS)
            for name, process in started.items():
                memory[name].append(mebibytes(process))
            time.sleep(max(0.0, now + 1 - time.monotonic()))
        eventually(lambda: desk.unanswered() == 0, 120)
        desk.ground.wait_for_open_transactions(RESULTS)

    results = {id: found for id, found in by_request(desk.ground.read(RESULTS)).items() if id not in others}
    assert len(results) == sent
    assert {id: len(found) for id, found in results.items() if len(found) > 1} == {}
    assert len(desk.ground.read(DEAD_LETTERS)) == refused
    halves = {name: _halves(samples) for name, samples in memory.items()}
    print(f"{sent} requests in {MINUTES:g} minutes; MiB in the first and the second half: {halves}")
    assert {name: halves[name] for name in PROCESSORS if halves[name][1] > halves[name][0] * GROWTH + SPARE} == {}


def _halves(samples: list[float]) -> tuple[float, float]:
    warm = samples[len(samples) // 4 :]
    middle = len(warm) // 2
    return round(median(warm[:middle]), 1), round(median(warm[middle:]), 1)
