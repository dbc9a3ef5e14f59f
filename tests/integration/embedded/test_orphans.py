"""Servers that outlived their owner are ended, and nobody else is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from processors.embedded.inspection import bring_down, inspect
from processors.embedded.stack import state_file
from processors.embedded.state import Identity, State, write_state

DEAD = Identity(2**22 + 1, 0.0)


@contextmanager
def a_process(code: str = "import time; print(flush=True); time.sleep(600)") -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout
            process.stdout.readline()  # it runs, so it has set its signals
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()


def test_a_recorded_server_is_ended(tmp_path: Path) -> None:
    """`down` needs no owner: the record in the data folder is enough."""
    with a_process() as orphan:
        write_state(state_file(tmp_path), State(DEAD, {"kafka": Identity.of(orphan.pid)}))

        assert inspect(tmp_path).parts[0].pid == orphan.pid
        assert bring_down(tmp_path)
        assert orphan.poll() is not None
        assert not bring_down(tmp_path)


def test_a_process_that_only_has_the_same_id_is_left_alone(tmp_path: Path) -> None:
    """Ids are used again; the start time tells whether it is the one that we started."""
    with a_process() as stranger:
        recorded = Identity.of(stranger.pid)
        write_state(state_file(tmp_path), State(DEAD, {"kafka": replace(recorded, started=recorded.started - 60)}))

        assert inspect(tmp_path).parts[0].state == "down"
        assert not bring_down(tmp_path)
        assert stranger.poll() is None


def test_a_server_that_ignores_the_request_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience ends."""
    monkeypatch.setattr("processors.embedded.state.PATIENCE", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with a_process(deaf) as orphan:
        write_state(state_file(tmp_path), State(DEAD, {"kafka": Identity.of(orphan.pid)}))

        assert bring_down(tmp_path)
        assert not psutil.pid_exists(orphan.pid)


def test_a_folder_without_a_stack_has_nothing_to_end(tmp_path: Path) -> None:
    """Neither question needs a stack to have run, and neither makes a folder."""
    nowhere = tmp_path / "nowhere"

    assert not bring_down(nowhere)
    assert not inspect(nowhere).up
    assert os.listdir(tmp_path) == []
