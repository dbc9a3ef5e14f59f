"""Relays and monitors that die at each step of a transaction: nothing is missed, and nobody is told twice.

Checker and counters are in test_transaction_steps.py; exceptions and the ledger in their own files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from chaos.mortal_worker import METHODS
from examples.ground import eventually
from examples.guard import Guard, now
from examples.matrices import a_document, a_rule
from examples.mortals import started, until_all_have_died
from examples.platform import Platform
from examples.relaying import Relaying, target
from examples.relaying import now as relaying_now

from processors.client.deliveries import read_relayed
from processors.client.matrix_topic import publish_matrix
from processors.configuration.settings import shipped
from processors.embedded import Stack
from processors.events.topics import MATRIX_FLOORS, NOTIFICATIONS

pytestmark = [
    pytest.mark.stack,
    pytest.mark.chaos,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.environ.get("GUARD_CHAOS") != "long", reason="GUARD_CHAOS=long kills relay and monitor at each step"
    ),
]

STEPS = tuple(METHODS)
ROUNDS = (1, 0, 3)
"""Transactions that each worker survives, round after round."""

PLAIN = ("-m", "processors.cli")


@contextmanager
def a_guard() -> Iterator[Guard]:
    """On servers of its own."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="compat-guard-"))
        servers = opened.enter_context(Stack(Path(folder)))
        yield opened.enter_context(closing(Guard(servers.addresses)))


def variables(guard: Guard, ordinal: int, config: Path) -> dict[str, str]:
    return {
        "GUARD_KAFKA__BOOTSTRAP": guard.of.kafka.bootstrap,
        "GUARD_REGISTRY__URL": guard.of.registry.url,
        "GUARD_CONFIG": str(config),
        "GUARD_ORDINAL": str(ordinal),
        "GUARD_BATCH": "20",
    }


def test_a_target_is_told_of_each_event_whatever_step_a_relay_died_at(tmp_path: Path) -> None:
    """With the same bytes at every try, so that a receiver who compares ids has each once; nothing still waits."""
    config = tmp_path / "config"
    shutil.copytree(shipped("config"), config)
    with ExitStack() as opened:
        at = opened.enter_context(Platform())
        guard, sent = opened.enter_context(a_guard()), list[str]()
        relaying = Relaying(guard, config)
        relaying.configure(target(at.url(), since=relaying_now()))

        def write() -> None:
            sent.extend(relaying.publish(60, keys=50))

        def start(ordinal: int, script: tuple[str, ...]) -> subprocess.Popen[bytes]:
            return started([*script, "run", "relay"], tmp_path / "log", **variables(guard, ordinal, config))

        for survived in ROUNDS:
            until_all_have_died(start, STEPS, write, survived)
        last = start(0, PLAIN)
        try:
            eventually(lambda: set(at.ids()) >= set(sent), 180)
            eventually(lambda: not any(one.pending for one in read_relayed(guard.of).deliveries), 60)
        finally:
            last.terminate()
            assert last.wait(60) == 0

    assert at.events().keys() == set(sent)
    assert all(received.verified for received in at.received)
    print(f"{len(STEPS) * len(ROUNDS)} deaths, {len(sent)} events, {len(at.events())} told, 0 lost")
    print(f"{len(at.received) - len(sent)} of {len(at.received)} tries were repetitions of the same bytes")


def test_people_are_told_once_of_each_source_whatever_step_the_monitor_died_at(tmp_path: Path) -> None:
    """Each source expires once and is told of as expired once; how far it has come is written down."""
    with a_guard() as guard:
        sources = list[str]()

        def write() -> None:
            sources.append(f"s{len(sources)}")
            document = replace(a_document(a_rule(), source=sources[-1]), expires_after=2_000)
            publish_matrix(guard.of, document, now())

        def start(ordinal: int, script: tuple[str, ...]) -> subprocess.Popen[bytes]:
            at = variables(guard, ordinal, guard.of.config)
            return started([*script, "run", "staleness"], tmp_path / "log", **at)

        for survived in ROUNDS:
            for step in STEPS:  # one after another: refreshes have one partition, which is one process's
                until_all_have_died(start, (step,), write, survived)
        last = start(0, PLAIN)
        try:
            eventually(lambda: expired(guard).keys() >= set(sources), 180)
            time.sleep(3)  # in which something said twice would show
        finally:
            last.terminate()
            assert last.wait(60) == 0
        told = expired(guard)
        ids = Counter(notice["notification_id"] for notice in guard.notifications())
        floors = {(record.key or b"").decode() for record in guard.ground.read(MATRIX_FLOORS)}
        assert list(guard.dead_letters()) == []

    assert told == dict.fromkeys(sources, 1)
    assert {id: count for id, count in ids.items() if count > 1} == {}
    assert floors == set(sources)
    print(f"{len(STEPS) * len(ROUNDS)} deaths, {len(sources)} sources, {len(ids)} notifications, 0 lost, 0 doubled")


def expired(guard: Guard) -> Counter[str]:
    """How often people were told that a source has expired, by its name."""
    guard.ground.wait_for_open_transactions(NOTIFICATIONS)
    notices = [notice for notice in guard.notifications() if notice["kind"] == "matrix_expired"]
    return Counter(notice["subject"].split()[2] for notice in notices)
