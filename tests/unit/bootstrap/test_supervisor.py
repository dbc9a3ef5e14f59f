"""Children are kept running, whatever ends them or makes them stand still."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from processors.bootstrap import supervisor
from processors.bootstrap.heartbeat import HeartbeatPipe
from processors.bootstrap.supervisor import MISTAKEN, Child, Started

LIVELY = (
    "import time, processors.bootstrap.heartbeat as p; beat = p.heartbeat()\nwhile True: beat(); time.sleep(0.05)"
)
MUTE = "import time; time.sleep(600)"
Make = Callable[[str], Child]


def program(text: str) -> Callable[[], Started]:
    def start() -> Started:
        pipe = HeartbeatPipe()
        process = subprocess.Popen([sys.executable, "-c", text], env=pipe.environment(), pass_fds=(pipe.there,))
        pipe.started()
        return process, pipe

    return start


def tended(child: Child, until: Callable[[], bool]) -> None:
    """Supervise it as `run` does, which ends with all of its children where one is found to be misconfigured."""
    for _ in range(600):
        assert child.supervise() != MISTAKEN
        if until():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "SILENT", 3.0)


@pytest.fixture
def child() -> Iterator[Make]:
    """Makes children, and ends them with the test."""
    made: list[Child] = []

    def make(text: str) -> Child:
        made.append(Child("checker", program(text)))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_was_killed_at_its_start_is_started_again(child: Make, number: signal.Signals) -> None:
    """`run all` was gone because somebody killed its children within ten seconds."""
    lively = child(LIVELY)
    for _ in range(3):
        before = lively.process
        before.send_signal(number)
        tended(lively, lambda before=before: lively.process is not before)


@pytest.mark.parametrize("code", [0, 1, 3, 70])
def test_a_child_that_ends_by_itself_is_started_again_with_growing_pauses(child: Make, code: int) -> None:
    """At once the first time; a release that cannot go on is not started a hundred times a minute."""
    brief = child(f"raise SystemExit({code})")
    starts: list[float] = []
    for _ in range(4):
        before = brief.process
        tended(brief, lambda before=before: brief.process is not before)
        starts.append(time.monotonic())

    assert starts[3] - starts[2] > 1.9


def test_a_child_that_cannot_be_configured_is_not_started_again(child: Make) -> None:
    mistaken = child(f"raise SystemExit({MISTAKEN})")
    mistaken.process.wait()

    assert [mistaken.supervise() for _ in range(3)] == [MISTAKEN] * 3


def test_a_child_without_a_pulse_is_killed_and_started_again(child: Make) -> None:
    """Also one that is stopped, whose own watchdog stands still with it."""
    mute, stopped = child(MUTE), child(LIVELY)
    stopped.process.send_signal(signal.SIGSTOP)
    for one in (mute, stopped):
        before = one.process
        tended(one, lambda before=before, one=one: one.process is not before)
        assert before.returncode == -signal.SIGKILL


def test_a_child_that_is_heard_is_left_alone(child: Make) -> None:
    lively = child(LIVELY)
    before, until = lively.process, time.monotonic() + 5
    while time.monotonic() < until:
        assert lively.supervise() is None
        time.sleep(0.1)

    assert lively.process is before
