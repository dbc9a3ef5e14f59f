"""The broker's time, as a real broker tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from examples.ground import Ground, eventually
from examples.guard import now

from processors.errors import SettingsInvalid
from processors.stream.loop import clock as clocks
from processors.stream.loop.clock import MOST_SKEW, Clock

pytestmark = pytest.mark.stack


@pytest.fixture
def clock(ground: Ground) -> Iterator[Clock]:
    ground.for_clock()
    with closing(Clock("t", ground.settings)) as clock:
        yield clock


def test_it_is_never_ahead_of_the_broker_and_never_goes_back(clock: Clock) -> None:
    """The broker of this test is on this machine, so that their clocks are one."""
    clock.start()
    shown = [(clock.now(), now()) for _ in range(1000)]

    assert all(told <= broker for told, broker in shown)
    assert [told for told, _ in shown] == sorted(told for told, _ in shown)


def test_timers_stop_while_the_process_has_another_time_and_go_on_afterwards(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In either direction. What the clock shows does not follow."""
    clock.start()
    for ahead in (MOST_SKEW * 2, -MOST_SKEW * 2):
        monkeypatch.setattr(clocks, "process_time", lambda ahead=ahead: now() + ahead)
        clock.look()
        assert not clock.agrees
        assert clock.now() <= now()
        monkeypatch.undo()
        clock.look()
        assert clock.agrees


def test_it_goes_on_asking(clock: Clock, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "EVERY", 0.1)
    clock.start()

    def asked_again() -> bool:
        clock.look()
        return len(ground.read(ground.settings.clock)) > 3

    eventually(asked_again)


def test_a_topic_that_does_not_exist_is_refused(ground: Ground) -> None:
    with closing(Clock("t", ground.settings)) as clock, pytest.raises(SettingsInvalid, match="topics apply"):
        clock.start()


def test_a_topic_with_the_times_of_its_writers_is_refused(ground: Ground) -> None:
    """They would be the process's own."""
    ground.topics(ground.settings.clock, partitions=1, **{"message.timestamp.type": "CreateTime"})
    with closing(Clock("t", ground.settings)) as clock, pytest.raises(SettingsInvalid, match="LogAppendTime"):
        clock.start()
