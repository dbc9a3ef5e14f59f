"""What an assignment does without a broker: nothing, once it has been told to leave."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from examples.counting import Counting

from processors.errors import Fatal
from processors.stream.loop.assignment import Assignment
from processors.stream.loop.health import Health
from processors.stream.loop.state import KeyedState
from processors.stream.settings import StreamSettings

IN = "t-in"


class Nobody:
    """A transaction whose broker says nothing about offsets."""

    def committed(self, partitions: Any) -> Any:
        raise Fatal("no answer")


def an_assignment(consumer: Consumer) -> Assignment:
    return Assignment(
        trials=None,
        consumer=consumer,
        processor=Counting("t"),
        settings=StreamSettings(bootstrap="127.0.0.1:9", registry="http://127.0.0.1:9"),
        transaction=Nobody(),  # type: ignore[arg-type] - the rest of it is not asked
        state=KeyedState(),
        health=Health("t"),
        partition_counts={IN: 2},
    )


def test_partitions_that_arrive_while_the_consumer_closes_are_not_taken_over() -> None:
    """Nobody is asked about them, so that a stop does not wait for answers that cannot come."""
    with closing(Consumer({"bootstrap.servers": "127.0.0.1:9", "group.id": "t"})) as consumer:
        staying, leaving = an_assignment(consumer), an_assignment(consumer)
        leaving.leave()

        for assignment in (staying, leaving):
            assignment.on_assign(consumer, [TopicPartition(IN, 0)])

        leaving.settle()
        assert leaving.positions == {}
        with pytest.raises(Fatal, match="no answer"):
            staying.settle()
