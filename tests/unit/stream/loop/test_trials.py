"""A marker is written by a call that may hang; whoever hangs there is not at work."""

from __future__ import annotations

from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException

from processors.stream.loop.health import CALLING, WORKING
from processors.stream.loop.trials import Trials
from processors.stream.types import Inbound

RECORD = Inbound("requests", 0, 5, 0, b"k", b"v")


class Group:
    """Notes how long the watchdog would wait for a commit, and refuses it if it is to."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self.beats: list[float] = []
        self.waited_for: list[float] = []
        self._error = error

    def commit(self, **_: Any) -> None:
        self.waited_for.append(self.beats[-1])
        if self._error:
            raise KafkaException(self._error)


def failed(group: Group) -> None:
    Trials(cast(Consumer, group), 1, group.beats.append).failed([RECORD], {("requests", 0): 5})


def test_a_mark_has_the_time_of_one_call_and_what_follows_that_of_work() -> None:
    group = Group()
    failed(group)

    assert group.waited_for == [CALLING]
    assert group.beats[-1] == WORKING


def test_a_mark_that_cannot_be_written_leaves_the_time_of_work() -> None:
    group = Group(KafkaError(KafkaError._TIMED_OUT))
    failed(group)

    assert group.waited_for == [CALLING]
    assert group.beats[-1] == WORKING
