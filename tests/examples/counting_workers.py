"""Workers of the counting processor in processes of their own, and what they must have answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from examples.crew import Crew
from examples.ground import Ground

from processors.stream.types import Inbound

TESTS = Path(__file__).parents[1]


@contextmanager
def counting_workers(ground: Ground, name: str) -> Iterator[Crew]:
    """Three workers."""

    def start(ordinal: int) -> subprocess.Popen[bytes]:
        settings = asdict(replace(ground.settings, seals=None)) | {"ordinal": ordinal, "batch": 20}
        command = [sys.executable, str(TESTS / "chaos" / "worker.py"), json.dumps(settings), name]
        path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL)

    crew = Crew(3, start)
    try:
        yield crew
    finally:
        crew.dismiss()


def all_answers(ground: Ground, crew: Crew, topic: str, count: int, seconds: float = 120) -> list[Inbound]:
    """All answers, once there are as many as wanted and for a moment longer, in which a duplicate would show."""
    until = time.monotonic() + seconds
    while len(ground.read(topic)) < count and time.monotonic() < until:
        crew.tend()
        time.sleep(1)
    time.sleep(2)
    return ground.read(topic)


def counted(answers: Sequence[Inbound]) -> Mapping[bytes, list[int]]:
    """What was answered for each key, in the order of the answers."""
    counts: dict[bytes, list[int]] = {}
    for record in answers:
        counts.setdefault(record.key or b"", []).append(int(record.value or b""))
    return counts


def everything(sent: Sequence[bytes]) -> Mapping[bytes, list[int]]:
    """What must be answered if nothing is lost and nothing is counted twice: 1, 2, 3, ... for each key."""
    return {key: list(range(1, count + 1)) for key, count in Counter(sent).items()}
