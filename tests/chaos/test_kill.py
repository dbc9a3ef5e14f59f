"""Three workers under load, killed again and again: every record is counted once, and no number is missing."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from examples.counting import Counting
from examples.crew import AFRESH, Crew
from examples.ground import Ground

from processors.embedded import Addresses

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

LONG = os.environ.get("GUARD_CHAOS") == "long"
RECORDS, KILLS = (60_000, 7) if LONG else (12_000, 4)
PROTOCOLS = ["consumer", "classic"] if LONG else ["consumer"]
KEYS = 97
PARTITIONS = 6
HERE = Path(__file__)


@contextmanager
def a_crew(ground: Ground, name: str) -> Iterator[Crew]:
    """Three workers."""

    def start(ordinal: int) -> subprocess.Popen[bytes]:
        settings = asdict(replace(ground.settings, seals=None)) | {"ordinal": ordinal, "batch": 20}
        command = [sys.executable, str(HERE.with_name("worker.py")), json.dumps(settings), name]
        path = os.pathsep.join([str(HERE.parents[1]), str(HERE.parents[2])])
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL)

    crew = Crew(3, start)
    try:
        yield crew
    finally:
        crew.dismiss()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_killing_workers_loses_nothing_and_repeats_nothing(stack: Addresses, protocol: str) -> None:
    """0 missing, 0 duplicates: the counters of each key are 1, 2, 3, ... in the order they were written."""
    ground = Ground(stack.bootstrap, stack.registry, protocol=protocol)
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=PARTITIONS)
    sent = [f"key{n % KEYS}".encode() for n in range(RECORDS)]

    with a_crew(ground, counting.name) as crew:
        rounds = KILLS + 1
        for n in range(rounds):
            crew.tend()
            ground.write(counting.inputs[0], [(key, b"x") for key in sent[n::rounds]])
            time.sleep(random.uniform(0.5, 4.0))
            if n < KILLS:
                crew.kill_one()
        crew.tend()
        answers = _wait_for(ground, crew, counting.output, len(sent))

    counts: dict[bytes, list[int]] = {key: [] for key in sent}
    for record in answers:
        counts[record.key or b""].append(int(record.value or b""))
    wanted = {key: list(range(1, sent.count(key) + 1)) for key in counts}
    assert counts == wanted
    assert crew.deaths.count(-9) == KILLS
    assert set(crew.deaths) <= {-9, AFRESH}, "a worker gave up by itself"


def _wait_for(ground: Ground, crew: Crew, topic: str, count: int, seconds: float = 120) -> list:
    """All answers, once there are as many as wanted and for a moment longer, in which a duplicate would show."""
    until = time.monotonic() + seconds
    while len(ground.read(topic)) < count and time.monotonic() < until:
        crew.tend()
        time.sleep(1)
    time.sleep(2)
    return ground.read(topic)
