"""The broker falls silent: its connections stand, and nothing comes. Every process goes on when it speaks again, or
ends and is started afresh; none of them is ready meanwhile; nothing is lost, nothing is said twice.

`GUARD_CHAOS=long` does it ten times for 40 seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from examples import web
from examples.checkers import Desk, a_request, a_subject, by_request
from examples.ground import eventually

from processors.bootstrap.processors import PROCESSORS
from processors.bootstrap.supervisor import health_ports
from processors.cli.demo.commands import environment_of
from processors.embedded import Stack
from processors.embedded.ports import HOST, ports_of
from processors.events.topics import BLOCKS, DEAD_LETTERS, INSTALL_REQUESTS, RESULTS

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(1800)]

TIMES, SILENCE = (10, 40.0) if os.environ.get("GUARD_CHAOS") == "long" else (1, 20.0)
NOTICED = 10.0
"""Seconds after which a process must not call itself ready before a silent broker."""

CHOSEN = ("checker", "exception-workflow", "staleness")
BLOCKED = a_subject(host_range=">=3.0.0")


@pytest.fixture
def ports(own: Stack, tmp_path: Path) -> Iterator[dict[str, int]]:
    """The health ports of processors that `run` keeps in children."""
    first = ports_of(tmp_path / "ports.json").kafka
    command = [sys.executable, "-m", "processors.cli", "run", *CHOSEN]
    environment = {**os.environ, **environment_of(own.addresses), "GUARD_HEALTH_PORT": str(first)}
    with (tmp_path / "log").open("wb") as log:
        supervisor = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield {name: port for name, port in health_ports(list(PROCESSORS), first).items() if name in CHOSEN}
        finally:
            supervisor.terminate()
            ended = supervisor.wait(60)
    assert ended == 0, (tmp_path / "log").read_text()[-4000:]


def is_ready(port: int) -> bool:
    try:
        return web.get(f"http://{HOST}:{port}/readyz", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def hand_in(desk: Desk, count: int) -> list[bytes]:
    requests = [a_request(BLOCKED) for _ in range(count)]
    desk.ground.write(INSTALL_REQUESTS, [(f"p{n}".encode(), desk.encode(r)) for n, r in enumerate(requests)])
    return [request["request_id"].encode() for request in requests]


def said_once(desk: Desk, ids: Sequence[bytes]) -> None:
    """One result and one block for each request, and no dead letter."""
    desk.ground.wait_for_open_transactions(RESULTS, BLOCKS, DEAD_LETTERS)
    for topic in (RESULTS, BLOCKS):
        said = by_request(desk.ground.read(topic))
        assert {id: count for id in ids if (count := len(said.get(id, ()))) != 1} == {}, topic
    assert desk.ground.read(DEAD_LETTERS) == []


def test_a_broker_that_falls_silent_under_load(own: Stack, desk: Desk, ports: dict[str, int]) -> None:
    """`/readyz` said 200 for minutes, and processes hung in calls without a deadline, deaf to SIGTERM."""
    sent: list[bytes] = []
    for _ in range(TIMES):
        eventually(lambda: all(map(is_ready, ports.values())), 120)
        sent += hand_in(desk, 2_000)
        broker = own.kafka.pid
        assert broker is not None
        os.kill(broker, signal.SIGSTOP)
        silent = time.monotonic()
        try:
            while time.monotonic() < silent + NOTICED:
                time.sleep(0.1)
            while time.monotonic() < silent + SILENCE:
                assert [name for name, port in ports.items() if is_ready(port)] == []
                time.sleep(0.5)
        finally:
            os.kill(broker, signal.SIGCONT)
        desk.reconnect()
        sent += hand_in(desk, 100)
        eventually(lambda: desk.unanswered() == 0, 180)
        said_once(desk, sent)
    eventually(lambda: all(map(is_ready, ports.values())), 120)
