"""Workers that die at every step of a transaction, one at each: all is there once, compared by ids and counters."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from bench import subjects
from chaos.mortal_worker import METHODS
from examples.checkers import Desk, a_crew, by_request
from examples.counting import Counting
from examples.counting_workers import all_answers, counted, everything
from examples.crew import Crew
from examples.ground import Ground
from examples.mortals import TESTS, started, until_all_have_died

from processors.embedded import Addresses, Stack
from processors.events.topics import DEAD_LETTERS, INSTALL_REQUESTS, RESULTS
from processors.stream.types import Outbound

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(900)]

ROUNDS = (1, 0, 3, 7) if os.environ.get("GUARD_CHAOS") == "long" else (1,)
"""Transactions that each worker survives, round after round."""

STEPS = tuple(METHODS)
PORTION, KEYS, PARTITIONS, BATCH = 200, 97, 10, 20


def test_a_count_goes_on_whatever_step_its_process_died_at(stack: Addresses, tmp_path: Path) -> None:
    """The counters of each key are 1, 2, 3, ... in the order in which they were written."""
    ground = Ground(stack.bootstrap, stack.registry)
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=PARTITIONS)
    sent: list[bytes] = []

    def write() -> None:
        portion = [f"key{n % KEYS}".encode() for n in range(len(sent), len(sent) + PORTION)]
        ground.write(counting.inputs[0], [(key, b"x") for key in portion])
        sent.extend(portion)

    def start(ordinal: int, script: tuple[str, ...]) -> subprocess.Popen[bytes]:
        settings = asdict(replace(ground.settings, seals=None)) | {"ordinal": ordinal, "batch": BATCH}
        kind = () if script == PLAIN else ("counting",)
        return started([*script, *kind, json.dumps(settings), counting.name], tmp_path / "log")

    for survived in ROUNDS:
        until_all_have_died(start, STEPS, write, survived)
    crew = Crew(len(STEPS), lambda ordinal: start(ordinal, PLAIN))
    try:
        crew.tend()
        answers = all_answers(ground, crew, counting.output, len(sent))
    finally:
        crew.dismiss()
        ground.close()

    assert counted(answers) == everything(sent)


PLAIN = (str(TESTS / "chaos" / "worker.py"),)


def test_a_request_has_one_answer_whatever_step_its_checker_died_at(own: Stack, desk: Desk, tmp_path: Path) -> None:
    """Also where the process was gone before it could see that its transaction had committed."""
    sent: list[Outbound] = []
    others = by_request(desk.ground.read(RESULTS)).keys()
    refused = len(desk.ground.read(DEAD_LETTERS))

    def write() -> None:
        portion = list(subjects.requests(desk.encode, subjects.cycling(KEYS), PORTION))
        desk.ground.write(INSTALL_REQUESTS, [(request.key, request.value) for request in portion])
        sent.extend(portion)

    def start(ordinal: int, script: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return started(
            [*script, "run", "checker"],
            tmp_path / "log",
            GUARD_KAFKA__BOOTSTRAP=own.addresses.bootstrap,
            GUARD_REGISTRY__URL=own.addresses.registry,
            GUARD_BATCH=str(BATCH),
            GUARD_ORDINAL=str(ordinal),
        )

    for survived in ROUNDS:
        until_all_have_died(start, STEPS, write, survived)
    with a_crew(own.addresses, tmp_path / "checkers.log", batch=BATCH) as crew:
        until = time.monotonic() + 120
        while desk.unanswered() and time.monotonic() < until:
            crew.tend(2)
            time.sleep(0.5)
        time.sleep(1)  # in which a duplicate would show
        desk.ground.wait_for_open_transactions(RESULTS)

    split = desk.guard.codec.decoder(INSTALL_REQUESTS, "InstallRequested").split
    asked = {split(request.value)[0]["request_id"].encode() for request in sent}
    results = {id: found for id, found in by_request(desk.ground.read(RESULTS)).items() if id not in others}
    assert results.keys() == asked
    assert {id: len(found) for id, found in results.items() if len(found) > 1} == {}
    assert len(desk.ground.read(DEAD_LETTERS)) == refused
