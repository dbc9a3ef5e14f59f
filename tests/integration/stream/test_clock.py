"""The broker's time, as a real broker tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import KafkaError, Message
from examples.ground import Ground, eventually
from examples.guard import now

from processors.errors import BrokerUnavailable, Fatal, SettingsInvalid
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


def test_a_topic_that_is_denied_for_a_moment_is_asked_again(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that has just started may not know it yet. What lasts is refused."""
    clock.start()
    denied = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    clock._hear(denied, Message(), 0.0)
    clock.look()

    monkeypatch.setattr(clocks, "LAGS", 0.0)
    clock._hear(denied, Message(), 0.0)
    with pytest.raises(SettingsInvalid, match="topics apply"):
        clock.look()


def test_a_clock_that_alone_is_not_answered_ends_its_process(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is waited for; a producer that has failed, while brokers answer everybody else, is not."""
    clock.start()
    monkeypatch.setattr(clocks, "KEEPS", 0.0)
    monkeypatch.setattr(clocks, "EVERY", 1000.0)
    with pytest.raises(BrokerUnavailable):
        clock.look()

    monkeypatch.setattr(clocks, "UNANSWERED", 0.0)
    with pytest.raises(BrokerUnavailable):
        clock.look(others_are_answered=False)
    with pytest.raises(Fatal, match="cannot go on"):
        clock.look()


def test_a_producer_that_has_failed_for_good_ends_its_process_at_once(clock: Clock) -> None:
    clock.start()
    clock._hear(KafkaError(KafkaError._FATAL), Message(), 0.0)

    with pytest.raises(Fatal, match="asks for the time"):
        clock.look()


def test_a_topic_that_does_not_exist_is_refused(ground: Ground) -> None:
    with closing(Clock("t", ground.settings)) as clock, pytest.raises(SettingsInvalid, match="topics apply"):
        clock.start()


def test_a_topic_with_the_times_of_its_writers_is_refused(ground: Ground) -> None:
    """They would be the process's own."""
    ground.topics(ground.settings.clock, partitions=1, **{"message.timestamp.type": "CreateTime"})
    with closing(Clock("t", ground.settings)) as clock, pytest.raises(SettingsInvalid, match="LogAppendTime"):
        clock.start()
