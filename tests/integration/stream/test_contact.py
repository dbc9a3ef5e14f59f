"""A consumer that has lost every broker, beside brokers that are there and brokers that are not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from confluent_kafka import Consumer
from examples.counting import Counting
from examples.ground import Ground

from processors.errors import Fatal
from processors.stream.io import clients
from processors.stream.io.contact import PATIENCE, Contact

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
        contact = Contact(ground.settings, {topic: consumer})
        for _ in range(3):
            contact.ask()
        assert not contact.silent


def test_a_consumer_that_hears_nothing_while_others_are_answered_ends_the_process(
    ground: Ground, topic: str, lost: Consumer
) -> None:
    """Not at once: its connection may just be on its way. The error names the topic that nobody reads any more."""
    contact = Contact(ground.settings, {topic: lost})

    contact.ask()
    with pytest.raises(Fatal, match=f"consumer of `{topic}` has lost every broker"):
        contact.ask()


def test_while_the_broker_answers_nobody_everybody_waits(ground: Ground, topic: str, lost: Consumer) -> None:
    """An outage is no reason to end: a process made afresh would reach no more."""
    contact = Contact(replace(ground.settings, bootstrap=NOBODY), {topic: lost})
    for _ in range(3):
        contact.ask()
    assert contact.silent


def test_who_checks_waits_for_no_round_and_is_told_of_a_loss(ground: Ground, topic: str, lost: Consumer) -> None:
    """A round takes seconds here. A loop that waited for it would answer nobody meanwhile."""
    waits: list[float] = []

    def checked(contact: Contact) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.01)
            waits.append(time.monotonic())
            contact.check()
            waits[-1] = time.monotonic() - waits[-1]

    with (
        Contact(ground.settings, {topic: lost}, every=0.05) as contact,
        pytest.raises(Fatal, match="lost every broker"),
    ):
        checked(contact)

    assert max(waits[:-1]) < PATIENCE / 2


def test_nobody_is_asked_before_it_is_time(ground: Ground, topic: str, lost: Consumer) -> None:
    with Contact(ground.settings, {topic: lost}, every=3600) as contact:
        contact.check()
    assert not contact.silent
