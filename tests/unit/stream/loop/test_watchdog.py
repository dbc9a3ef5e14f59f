"""A process that cannot go on is gone, whatever it is stuck in."""

from __future__ import annotations

import signal
import subprocess
import sys
from subprocess import PIPE, STDOUT

import pytest

PROGRAM = """
import re, signal, sys, threading, time
from processors.stream.loop import watchdog
from processors.stream.loop.health import Health

watchdog.STOPPING, watchdog._GRACE = 1.0, 2.0
stop, health = threading.Event(), Health("t-watched")
signal.signal(signal.SIGTERM, lambda *_: stop.set())
health.beat({patience})  # before anybody looks: who looks first waits for the deadline that stands then
watchdog.Watchdog(health, stop, lambda: print("alive", flush=True)).start()
{then}
"""

IN_A_CALL = "time.sleep(600)"
IN_A_LIBRARY = """
import ctypes
library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(256)
for _ in range(2): library.pthread_mutex_lock(lock)
"""  # waits for itself, and no signal interrupts it: Python runs a handler only once a call has returned
IN_OUR_OWN_CODE = "re.fullmatch('(a|a)*b', 'a' * 60)"  # holds the interpreter; no thread of ours gets a turn
AT_THE_END = "threading.Thread(target=time.sleep, args=(600,)).start()"
GOING_ROUND = "while True: health.beat(5); time.sleep(0.1)"
IN_GOOD_TIME = "time.sleep(1); health.beat(60)"


def started(patience: float, then: str) -> subprocess.Popen[str]:
    program = PROGRAM.format(patience=patience, then=then)
    return subprocess.Popen([sys.executable, "-c", program], stdout=PIPE, stderr=STDOUT, text=True)


@pytest.mark.parametrize("then", [IN_A_CALL, AT_THE_END], ids=["in a call", "while Python ends"])
def test_a_loop_whose_beat_is_overdue_ends_with_70(then: str) -> None:
    """And says where it stood."""
    process = started(0.5, then)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 70
    assert "the loop has not come round in time" in said
    assert "most recent call first" in said


def test_a_loop_that_holds_the_interpreter_is_ended_from_below() -> None:
    """The watchdog's own thread gets no turn then."""
    process = started(0.5, IN_OUR_OWN_CODE)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "Timeout" in said
    assert "fullmatch" in said


@pytest.mark.parametrize("then", [IN_A_CALL, IN_A_LIBRARY], ids=["in a call", "below Python"])
def test_a_process_that_was_told_to_stop_is_gone_in_time(then: str) -> None:
    """Even where the loop is stuck in a call that it may still make for an hour."""
    process = started(3600, then)
    assert process.stdout is not None
    for _ in range(3):  # by the third time it is stuck
        assert process.stdout.readline() == "alive\n"
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 70
    assert "did not stop within" in said


def test_a_loop_that_comes_round_is_left_alone() -> None:
    """Its supervisor is told so at every look."""
    process = started(5, GOING_ROUND)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == "alive\n"
    assert process.poll() is None
    process.kill()
    process.communicate()


def test_a_loop_that_ends_in_good_time_keeps_its_exit_code() -> None:
    process = started(5, IN_GOOD_TIME)
    process.communicate(timeout=60)

    assert process.returncode == 0
