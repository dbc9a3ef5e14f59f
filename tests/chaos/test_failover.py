"""Three brokers, everything on each, and three workers under load: leaders and controllers go, and nothing is lost.

Only with `GUARD_CHAOS=long`: beside other tests, three brokers on two cores are too slow to come back in time.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from examples.counting import Counting
from examples.counting_workers import all_answers, counted, counting_workers, everything
from examples.crew import AFRESH, Crew
from examples.ground import Ground, eventually

from processors.embedded.cluster import Cluster
from processors.stream.types import Inbound

LONG = os.environ.get("GUARD_CHAOS") == "long"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.chaos,
    pytest.mark.skipif(not LONG, reason="three brokers need two cores for themselves; GUARD_CHAOS=long runs it"),
]
RATE = 100
"""Records a second."""
FROZEN = 12.0
"""Seconds for which a broker is cut off: longer than the cluster waits for it."""


class Load:
    """Writes records at a steady rate, whatever happens to the brokers, until it is told to stop."""

    def __init__(self, ground: Ground, topic: str) -> None:
        self.sent: list[bytes] = []
        self._ground, self._topic, self._stop = ground, topic, threading.Event()
        self._thread = threading.Thread(target=self._write, name="load")

    def _write(self) -> None:
        while not self._stop.wait(1.0):
            keys = [f"key{n % 97}".encode() for n in range(len(self.sent), len(self.sent) + RATE)]
            self._ground.write(self._topic, [(key, b"x") for key in keys], patience=180)
            self.sent += keys

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(240)
        assert not self._thread.is_alive()


class Faults:
    """What happens to the brokers. Each fault is over, and every replica complete, before the next one."""

    def __init__(self, cluster: Cluster, ground: Ground, crew: Crew, topic: str) -> None:
        self._cluster, self._ground, self._crew, self._topic = cluster, ground, crew, topic
        self.injected: list[str] = []

    def kill_the_leader(self) -> None:
        """Of the first partition. It comes back after its followers have taken over."""
        number = self._ground.leader(self._topic, 0)
        with self._injecting(f"kill -9 of broker {number}, a leader"):
            self._cluster.broker(number).kill()
            time.sleep(6)
            self._cluster.broker(number).start()

    def kill_each(self) -> None:
        """One of them is the active controller, one coordinates the group, one the transactions."""
        for node in self._cluster.nodes:
            with self._injecting(f"kill -9 of broker {node.number}"):
                self._cluster.broker(node.number).kill()
                time.sleep(6)
                self._cluster.broker(node.number).start()

    def freeze_each(self) -> None:
        """Its connections stand, and nothing comes: what a partition of the network looks like."""
        for node in self._cluster.nodes:
            pid = self._cluster.broker(node.number).pid
            assert pid is not None
            with self._injecting(f"broker {node.number} cut off for {FROZEN:g} s"):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(FROZEN)
                os.kill(pid, signal.SIGCONT)

    def restart_all(self) -> None:
        for node in self._cluster.nodes:
            with self._injecting(f"broker {node.number} restarted in good order"):
                self._cluster.broker(node.number).stop()
                self._cluster.broker(node.number).start()

    @contextmanager
    def _injecting(self, what: str) -> Iterator[None]:
        self.injected.append(what)
        if LONG and random.random() < 0.5:
            self._crew.kill_one()
        yield
        eventually(self._ground.is_replicated, 180)
        self._crew.tend()


@pytest.mark.timeout(900)
def test_brokers_fail_over_and_nothing_is_lost_or_counted_twice() -> None:
    with tempfile.TemporaryDirectory(prefix="compat-guard-") as folder, Cluster(Path(folder)) as cluster:
        ground = Ground(cluster.bootstrap, "", replicas=len(cluster.nodes))
        counting = Counting(ground.name)
        ground.for_processor(counting, partitions=6)
        with counting_workers(ground, counting.name) as crew:
            crew.tend()
            with Load(ground, counting.inputs[0]) as load:
                faults = Faults(cluster, ground, crew, counting.inputs[0])
                time.sleep(3)
                faults.kill_the_leader()
                if LONG:
                    faults.kill_each()
                    faults.freeze_each()
                    faults.restart_all()
                time.sleep(3)
            answers = all_answers(ground, crew, counting.output, len(load.sent))
        ground.close()

    assert counted(answers) == everything(load.sent)
    assert set(crew.deaths) <= {-9, AFRESH}, "a worker gave up by itself"
    print("\n".join(faults.injected))
    print(f"{len(load.sent)} records in, {len(answers)} out, 0 lost, 0 doubled, exit codes {crew.deaths}")
    print(f"longest silence of a partition {longest_silence(answers):.1f} s")


def longest_silence(answers: Sequence[Inbound]) -> float:
    """Seconds between two answers on one partition, by the brokers' clocks. `answers` are in their order."""
    by_partition = (list(records) for _, records in groupby(answers, key=lambda record: record.partition))
    waits = (later.timestamp - earlier.timestamp for r in by_partition for earlier, later in pairwise(r))
    return max(waits) / 1000
