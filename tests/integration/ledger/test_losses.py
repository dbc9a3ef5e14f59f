"""Records that expire while the sink is away, as an operator meets them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from examples import commands
from examples.ground import eventually
from examples.guard import Guard
from sqlalchemy import make_url

from processors.cli.demo.commands import environment_of
from processors.embedded import Addresses
from processors.events.topics import NOTIFICATIONS

pytestmark = pytest.mark.stack


class Operator:
    """Types commands, and runs a sink."""

    def __init__(self, stack: Addresses, folder: Path) -> None:
        self.log = folder / "ledger.log"
        self._environment = {
            **os.environ,
            **environment_of(stack),
            "GUARD_LEDGER__KEYS": str(folder / "ledger-keys.json"),
            "COLUMNS": "300",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return commands.run(*words, environment=self._environment)

    @contextmanager
    def sink(self) -> Iterator[commands.Started]:
        """Told to end after the block, if it has not by itself."""
        with self.log.open("ab") as log:
            sink = commands.start("run", "ledger", environment=self._environment, log=log)
            try:
                yield sink
            finally:
                sink.terminate()
                sink.wait(60)


@pytest.fixture
def guard(guarded: Addresses) -> Iterator[Guard]:
    guard = Guard(guarded)
    yield guard
    guard.take_away(NOTIFICATIONS)
    guard.close()


def test_a_sink_whose_next_records_have_expired_says_what_to_do_and_that_lets_it_continue(
    guard: Guard, guarded: Addresses, tmp_path: Path
) -> None:
    operator = Operator(guarded, tmp_path)
    for words in (("ledger", "migrate"), ("ledger", "keys")):
        assert operator.run(*words).returncode == 0
    guard.ground.write(NOTIFICATIONS, [(b"k", b"unreadable, and filed all the same")] * 3, partition=0)
    end = max(record.offset for record in guard.ground.read(NOTIFICATIONS) if record.partition == 0) + 1
    with operator.sink():
        eventually(lambda: filed(guarded) == end)
    guard.ground.write(NOTIFICATIONS, [(b"k", b"nobody will ever read it")] * 4 + [(b"k", b"kept")], partition=0)
    guard.ground.forget_below(NOTIFICATIONS, 0, end + 4)

    with operator.sink() as sink:
        assert sink.wait(60) == 70
    assert "run `compat-guard ledger take-up`, which lists all" in operator.log.read_text()
    doctor = operator.run("doctor")
    assert f"offsets {end} to {end + 3} of compat.notifications/0 expired" in doctor.stdout
    shown = operator.run("ledger", "take-up")
    assert shown.returncode == 2, shown
    assert f"partition 0 no longer has offsets {end} to {end + 3}, which were not filed" in shown.stdout
    taken = operator.run("ledger", "take-up", "--topic", NOTIFICATIONS)
    assert taken.returncode == 0, taken
    with operator.sink():
        eventually(lambda: filed(guarded) == end + 5)

    (loss,) = json.loads(operator.run("ledger", "losses", "--output", "json").stdout)
    assert {**loss, "at": "", "by": ""} == {
        **{"topic": NOTIFICATIONS, "partition": 0, "life": 0, "first": end, "last": end + 3, "at": "", "by": ""},
    }
    for words in (("ledger", "verify"), ("ledger", "reconcile", "--topic", NOTIFICATIONS)):
        done = operator.run(*words)
        assert done.returncode == 0, done


def filed(stack: Addresses) -> int | None:
    """Up to where the ledger has filed the partition."""
    plain = make_url(stack.postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        row = connection.execute(
            "SELECT next_offset FROM ledger.chain_head WHERE (topic, partition) = (%s, 0)", (NOTIFICATIONS,)
        ).fetchone()
    return row[0] if row else None
