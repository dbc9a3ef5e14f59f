"""A consumer that has lost every broker, beside brokers that are there and brokers that are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from examples.counting import Counting
from examples.ground import Ground, eventually

from processors.errors import Fatal
from processors.stream.io import clients
from processors.stream.io.contact import HEARD, Contact

pytestmark = pytest.mark.stack

NOBODY = "127.0.0.1:9"


@pytest.fixture
def topic(ground: Ground) -> str:
    counting = Counting(ground.name)
    ground.for_processor(counting)
    return counting.inputs[0]


@pytest.fixture
def lost(ground: Ground) -> Iterator[Consumer]:
    """It stands for one whose librdkafka has forgotten the brokers: it will never hear of one."""
    with closing(clients.reader(replace(ground.settings, bootstrap=NOBODY), ground.name)) as consumer:
        yield consumer


def test_a_consumer_that_is_answered_goes_on(ground: Ground, topic: str) -> None:
    with closing(clients.reader(ground.settings, ground.name)) as consumer:
        contact = Contact(ground.settings, {topic: consumer}, every=0)
        for _ in range(3):
            contact.check()


def test_a_consumer_is_asked_only_when_it_has_heard_nothing_for_a_while(
    ground: Ground, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its topic is idle: what it hears are empty answers. To ask would wait behind one of them."""

    def unanswered(*_: object, **__: object) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    with closing(clients.reader(ground.settings, ground.name)) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        monkeypatch.setattr(consumer, "list_topics", unanswered)
        contact = Contact(ground.settings, {topic: consumer}, every=0)
        eventually(lambda: (consumer.consume(1, 0.1), consumer.silence < HEARD)[1], 30)
        for _ in range(5):
            contact.check()

        eventually(lambda: consumer.silence > HEARD)  # nobody polls it, so that it learns nothing
        contact.check()
        with pytest.raises(Fatal, match="has lost every broker"):
            contact.check()


def test_a_consumer_that_hears_nothing_while_others_are_answered_ends_the_process(
    ground: Ground, topic: str, lost: Consumer
) -> None:
    """Not at once: its connection may just be on its way. The error names the topic that nobody reads any more."""
    contact = Contact(ground.settings, {topic: lost}, every=0)

    contact.check()
    with pytest.raises(Fatal, match=f"consumer of `{topic}` has lost every broker"):
        contact.check()


def test_while_the_broker_answers_nobody_everybody_waits(ground: Ground, topic: str, lost: Consumer) -> None:
    """An outage is no reason to end: a process made afresh would reach no more."""
    contact = Contact(replace(ground.settings, bootstrap=NOBODY), {topic: lost}, every=0)
    for _ in range(3):
        contact.check()


def test_nobody_is_asked_before_it_is_time(ground: Ground, topic: str, lost: Consumer) -> None:
    contact = Contact(ground.settings, {topic: lost}, every=3600)
    for _ in range(3):
        contact.check()
