"""Three workers under load, killed again and again: every record is counted once, and no number is missing."""

import os
import random
import time

import pytest
from examples.counting import Counting
from examples.counting_workers import all_answers, counted, counting_workers, everything
from examples.crew import AFRESH
from examples.ground import Ground

from processors.embedded import Addresses

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

LONG = os.environ.get("GUARD_CHAOS") == "long"
RECORDS, KILLS = (60_000, 7) if LONG else (12_000, 4)
PROTOCOLS = ["consumer", "classic"] if LONG else ["consumer"]
KEYS = 97
PARTITIONS = 6


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_killing_workers_loses_nothing_and_repeats_nothing(stack: Addresses, protocol: str) -> None:
    """0 missing, 0 duplicates: the counters of each key are 1, 2, 3, ... in the order they were written."""
    ground = Ground(stack.bootstrap, stack.registry, protocol=protocol)
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=PARTITIONS)
    sent = [f"key{n % KEYS}".encode() for n in range(RECORDS)]

    with counting_workers(ground, counting.name) as crew:
        rounds = KILLS + 1
        for n in range(rounds):
            crew.tend()
            ground.write(counting.inputs[0], [(key, b"x") for key in sent[n::rounds]])
            time.sleep(random.uniform(0.5, 4.0))
            if n < KILLS:
                crew.kill_one()
        crew.tend()
        answers = all_answers(ground, crew, counting.output, len(sent))

    assert counted(answers) == everything(sent)
    assert crew.deaths.count(-9) == KILLS
    assert set(crew.deaths) <= {-9, AFRESH}, "a worker gave up by itself"
