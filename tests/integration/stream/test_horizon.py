"""Up to which time the inputs are read, as a real broker's logs have it: what clocks wait for."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from confluent_kafka import Producer
from examples.counting import Counting
from examples.ground import Ground, eventually
from examples.guard import now

from processors.errors import TransactionAborted
from processors.stream.io import clients
from processors.stream.types import Inbound, NotYet, Outbound, Outcome, View

pytestmark = pytest.mark.stack


class Looking(Counting):
    """Notes at each tick the moment, and up to when its one partition is read; can be made to get nowhere."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.inputs = (f"{name}-in", f"{name}-more")
        self.seen = [(0, 0)]
        self.stuck = threading.Event()

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        if self.stuck.is_set():
            raise TransactionAborted("nothing comes of it")
        return super().handle(batch, view)

    def tick(self, now: int, view: View) -> Outcome:
        self.seen.append((now, view.read_until(0)))
        return Outcome()

    def caught_up_after(self, moment: int) -> bool:
        now, until = self.seen[-1]
        return until == now > moment


@pytest.fixture
def looking(ground: Ground) -> Looking:
    looking = Looking(ground.name)
    ground.for_processor(looking, partitions=1)
    return looking


@pytest.fixture
def others(ground: Ground, looking: Looking) -> Producer:
    """Somebody who writes to an input in transactions, as the checker does."""
    producer = clients.transactional_producer(ground.settings, f"{ground.name}-others")
    producer.init_transactions(30)
    return producer


def test_whatever_is_read_to_its_end_is_read_until_this_moment(ground: Ground, looking: Looking) -> None:
    """Without a record, after one, and after the next."""
    with ground.running(looking):
        eventually(lambda: looking.caught_up_after(0))
        ground.write(looking.inputs[0], [(b"k", b"x")])
        written = now()
        eventually(lambda: looking.caught_up_after(written))


def test_a_record_that_waits_holds_time_back(ground: Ground, looking: Looking) -> None:
    """Time stays before the record, for as long as nothing comes of it, whatever the other topic gives."""
    with ground.running(looking):
        eventually(lambda: looking.caught_up_after(0))
        looking.stuck.set()
        before = now()
        ground.write(looking.inputs[1], [(b"k", b"x")])
        written, after = now(), len(looking.seen)
        eventually(lambda: len(looking.seen) > after + 5)
        ends = {until for moment, until in looking.seen[after + 1 :] if moment > written}
        assert max(ends) <= before
        looking.stuck.clear()
        eventually(lambda: looking.caught_up_after(written))


def test_an_open_transaction_holds_time_back(ground: Ground, looking: Looking, others: Producer) -> None:
    """What it wrote has its time already, and nobody can read it yet. Its end, that no consumer is given, is no
    record that waits; neither is what was taken back."""
    with ground.running(looking):
        eventually(lambda: looking.caught_up_after(0))
        for end in (others.commit_transaction, others.abort_transaction):
            others.begin_transaction()
            others.produce(looking.inputs[0], b"x", b"k")
            assert others.flush(30) == 0
            written, after = now(), len(looking.seen)
            eventually(lambda after=after: len(looking.seen) > after + 5)
            assert not any(
                looking_on > written and until == looking_on for looking_on, until in looking.seen[after:]
            )
            end(30)
            eventually(lambda written=written: looking.caught_up_after(written))

    assert len(ground.values(looking.output)) == 1


def test_a_new_owner_finds_out_by_itself(ground: Ground, looking: Looking, others: Producer) -> None:
    """The position is the old owner's; what lies behind it is a marker."""
    with ground.running(looking):
        others.begin_transaction()
        others.produce(looking.inputs[0], b"x", b"k")
        others.commit_transaction(30)
        eventually(lambda: len(ground.values(looking.output)) == 1)
    heir = Looking(ground.name)
    with ground.running(heir):
        eventually(lambda: heir.caught_up_after(0))


class Patient(Counting):
    """Judges what its first input holds only after something has come on the second."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.inputs = (f"{name}-in", f"{name}-more")
        self.left: list[bytes | None] = []

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        for record in batch:
            if outcome.waits(record):
                continue
            with outcome.rejecting(record):
                if record.topic == self.inputs[0] and not view.state(0):
                    self.left.append(record.value)
                    raise NotYet
                outcome.publish(Outbound(self.output, record.key, record.value))
                outcome.put(0, str(record.value), 1)
        return outcome


def test_a_record_that_is_left_for_later_lets_others_pass_and_comes_again_once(ground: Ground) -> None:
    """Nothing of its topic is lost, doubled or out of order, also across a restart while it waits."""
    patient = Patient(ground.name)
    ground.for_processor(patient, partitions=1)
    with ground.running(patient):
        ground.write(patient.inputs[0], [(b"k", b"%d" % n) for n in range(20)])
        eventually(lambda: len(patient.left) >= 3)
        assert set(patient.left) == {b"0"}
        assert ground.values(patient.output) == []
    with ground.running(Patient(ground.name)):
        ground.write(patient.inputs[1], [(b"k", b"first")])
        eventually(lambda: len(ground.values(patient.output)) == 21)

    assert ground.values(patient.output) == [b"first", *(b"%d" % n for n in range(20))]
