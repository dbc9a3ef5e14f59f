"""The loop against a real broker: what comes out, once, whatever goes wrong in between."""

import time
from collections.abc import Collection, Mapping, Sequence

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from examples.counting import Counting
from examples.ground import Ground, eventually
from examples.sealing import SEALS

from processors.errors import BreakerOpen, Fatal, OffsetsLost, TransactionAborted
from processors.stream.io.clients import admin, close, transactional_producer
from processors.stream.loop.batches import LARGEST_BATCH
from processors.stream.loop.loop import MOST_ABORTS
from processors.stream.loop.transaction import At
from processors.stream.types import Inbound, Outbound, Outcome, Reject, View

pytestmark = pytest.mark.stack

TEN = [(b"a", b"x")] * 6 + [(b"b", b"x")] * 4


def numbers(ground: Ground, topic: str) -> dict[bytes, list[int]]:
    """The counters of each key in the order they were written."""
    found: dict[bytes, list[int]] = {}
    for record in ground.read(topic):
        found.setdefault(record.key or b"", []).append(int(record.value or b""))
    return found


ALL_TEN = {b"a": [1, 2, 3, 4, 5, 6], b"b": [1, 2, 3, 4]}


def test_every_record_is_answered_once(ground: Ground) -> None:
    """Answers come with their headers, and the next run goes on behind them."""
    counting = Counting(ground.name)
    ground.for_processor(counting)
    ground.write(counting.inputs[0], TEN, headers=[("traceparent", b"00-1")])

    with ground.running(counting):
        eventually(lambda: numbers(ground, counting.output) == ALL_TEN)
    with ground.running(counting) as again:
        eventually(lambda: again.health.ready)

    assert numbers(ground, counting.output) == ALL_TEN
    assert {record.headers for record in ground.read(counting.output)} == {(("traceparent", b"00-1"),)}


def test_state_follows_its_partition_to_another_worker(ground: Ground) -> None:
    """What one worker counted, the next one finds in the changelog."""
    counting = Counting(ground.name)
    ground.for_processor(counting)
    ground.write(counting.inputs[0], TEN[:5])
    with ground.running(counting):
        eventually(lambda: len(ground.values(counting.output)) == 5)
    ground.write(counting.inputs[0], TEN[5:])
    with ground.running(Counting(ground.name)):
        eventually(lambda: len(ground.values(counting.output)) == 10)

    assert numbers(ground, counting.output) == ALL_TEN


@pytest.mark.parametrize(("decide", "next_count"), [("commit_transaction", b"6"), ("abort_transaction", b"2")])
def test_state_whose_transaction_is_still_open_is_waited_for(
    ground: Ground, decide: str, next_count: bytes
) -> None:
    """A commit marks offsets and changelog one after the other: whoever takes over may come in between."""
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=1)
    ground.write(counting.inputs[0], [(b"key", b"1")])
    with ground.running(counting):
        eventually(lambda: ground.values(counting.output) == [b"1"])
    changelog = counting.state.changelog
    last_owner = transactional_producer(ground.settings, f"{ground.name}-last-owner")
    last_owner.init_transactions(30)
    last_owner.begin_transaction()
    seal = SEALS.seal(changelog, b"key", b"5", partition=0, number=1000)
    last_owner.produce(changelog, b"5", b"key", 0, headers=[seal])
    last_owner.flush(30)

    ground.write(counting.inputs[0], [(b"key", b"6")])
    with ground.running(Counting(ground.name)):
        time.sleep(5)
        assert ground.values(counting.output) == [b"1"]
        getattr(last_owner, decide)(30)
        eventually(lambda: len(ground.values(counting.output)) == 2)
    close(last_owner)

    assert ground.values(counting.output) == [b"1", next_count]


class Stumbling(Counting):
    """Fails in the middle of its work a few times, after half of the answers are there."""

    stumbles = 3

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = super().handle(batch, view)
        if self.stumbles:
            self.stumbles -= 1
            raise TransactionAborted("stumbled")
        return outcome


def test_a_batch_that_was_given_up_is_handled_again(ground: Ground) -> None:
    """A failure in the middle leaves no answer and no count behind."""
    stumbling = Stumbling(ground.name)
    ground.for_processor(stumbling)
    ground.write(stumbling.inputs[0], TEN)

    with ground.running(stumbling):
        eventually(lambda: numbers(ground, stumbling.output) == ALL_TEN)

    assert stumbling.stumbles == 0


class Hopeless:
    """A transaction that is aborted whenever it is to be committed."""

    aborts = 0

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        return dict.fromkeys(partitions, 0)

    def given_up(self, partitions: Collection[At]) -> Mapping[At, int]:
        return {}

    def way_on(self, partitions: Collection[At], to: str) -> str:
        raise AssertionError(f"nothing is lost of {partitions}, and nobody asks how to go on from the {to}")

    def begin(self) -> None: ...

    def write(self, outcome: Outcome, records: Sequence[Outbound]) -> None: ...

    def advance(self, positions: Mapping[At, int]) -> None: ...

    def commit(self) -> None:
        raise TransactionAborted("its coordinator does not know it any more")

    def abort(self) -> None:
        self.aborts += 1


def test_a_process_whose_transactions_are_all_aborted_ends_and_is_not_ready_meanwhile(ground: Ground) -> None:
    """It aborted 470 in 12 minutes, and mostly said that it was ready."""
    counting, hopeless = Counting(ground.name), Hopeless()
    ground.for_processor(counting)
    ground.write(counting.inputs[0], TEN)

    with ground.running(counting, fails=True, transaction=lambda *_: hopeless) as worker:
        eventually(lambda: hopeless.aborts)
        called_ready = 0
        until = time.monotonic() + 60
        while worker.failure is None and time.monotonic() < until:
            called_ready += worker.health.ready
            time.sleep(0.001)

    assert isinstance(worker.failure, Fatal), worker.failure
    assert (hopeless.aborts, called_ready) == (MOST_ABORTS, 0)


class Unlucky(Counting):
    """Sends one answer to a topic that is not there, once."""

    unlucky = True

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = super().handle(batch, view)
        if self.unlucky:
            self.unlucky = False
            outcome.publish(Outbound(self.output, b"a", b"7", partition=99))
        return outcome


def test_an_answer_that_cannot_be_delivered_takes_the_whole_batch_back(ground: Ground) -> None:
    """A record that no partition takes never leaves its neighbours committed: the process stops or starts anew."""
    unlucky = Unlucky(ground.name)
    ground.for_processor(unlucky)
    ground.write(unlucky.inputs[0], TEN)

    with ground.running(unlucky, supervised=True):
        eventually(lambda: numbers(ground, unlucky.output) == ALL_TEN, 60)

    assert not unlucky.unlucky


def test_an_unreadable_record_is_quarantined_and_nothing_else_changes(ground: Ground) -> None:
    """499 of 500 are answered, and the one is a dead letter with its bytes, key and headers."""
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=1)
    ground.write(counting.inputs[0], [(b"k", b"x")] * 250)
    ground.write(counting.inputs[0], [(b"k", b"bad")], headers=[("traceparent", b"00-2")])
    ground.write(counting.inputs[0], [(b"k", b"x")] * 249)

    with ground.running(counting):
        eventually(lambda: len(ground.values(counting.output)) == 499)

    [letter] = ground.read(ground.settings.dead_letters)
    assert numbers(ground, counting.output) == {b"k": list(range(1, 500))}
    assert (letter.key, letter.value) == (b"k", b"bad")
    assert dict(letter.headers) | {
        "traceparent": b"00-2",
        "__streams.errors.topic": counting.inputs[0].encode(),
        "__streams.errors.offset": b"250",
        "guard.errors.reason": b"unreadable",
        "guard.errors.stage": b"body",
    } == dict(letter.headers)


class Measuring(Counting):
    """Remembers how large its batches were."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sizes: list[int] = []

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        self.sizes.append(sum(len(record.value or b"") for record in batch))
        return super().handle(batch, view)


def test_large_records_make_small_batches(ground: Ground) -> None:
    """30 MB are there at once; a batch takes a few of them, and all are answered."""
    measuring = Measuring(ground.name)
    ground.for_processor(measuring, partitions=1)
    ground.write(measuring.inputs[0], [(b"k", b"x" * 100_000)] * 300)

    with ground.running(measuring):
        eventually(lambda: len(ground.values(measuring.output)) == 300)

    assert numbers(ground, measuring.output) == {b"k": list(range(1, 301))}
    assert max(measuring.sizes) <= LARGEST_BATCH + 50 * 100_000


class Broken(Counting):
    """A bad release."""

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        return Outcome(rejects=[Reject(record, "internal", "KeyError: 'x'", "handle") for record in batch])


def test_a_bad_release_does_not_drain_a_topic_into_the_dead_letters(ground: Ground) -> None:
    """The process stops before it commits, and a good release answers everything."""
    counting = Counting(ground.name)
    ground.for_processor(counting)
    ground.write(counting.inputs[0], TEN)

    with ground.running(Broken(ground.name), fails=True) as worker:
        assert isinstance(worker.wait(), BreakerOpen)
    assert ground.values(ground.settings.dead_letters) == []

    with ground.running(counting):
        eventually(lambda: numbers(ground, counting.output) == ALL_TEN)


def test_a_gap_in_the_log_stops_the_process(ground: Ground) -> None:
    """Records that retention took before they were handled are never skipped silently: somebody sets the offset."""
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=1)
    ground.write(counting.inputs[0], TEN[:2])
    with ground.running(counting):
        eventually(lambda: len(ground.values(counting.output)) == 2)
    ground.write(counting.inputs[0], TEN)
    ground.forget_below(counting.inputs[0], 0, 5)

    with ground.running(counting, fails=True) as worker:
        failure = worker.wait()

    assert isinstance(failure, Fatal)
    assert isinstance(failure.__cause__, OffsetsLost)
    assert "stands at offset 2" in str(failure)
    assert "the log begins at 5: 3 offsets expired unread" in str(failure)
    assert f"--group {counting.name} --topic {counting.inputs[0]}:0 --reset-offsets --to-earliest" in str(failure)
    at = ConsumerGroupTopicPartitions(counting.name, [TopicPartition(counting.inputs[0], 0, 5)])
    client = admin(ground.settings)
    client.alter_consumer_group_offsets([at])[counting.name].result(30)
    with ground.running(counting):
        eventually(lambda: len(ground.values(counting.output)) == 2 + len(TEN) - 3)


def test_a_quiet_partition_whose_records_have_all_expired_has_lost_nothing(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the last record is the marker of the transaction that wrote it, and it expires as well."""
    monkeypatch.setattr("processors.stream.loop.loop.PASS_EVERY", 0.1)
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=1)
    writer = transactional_producer(ground.settings, f"{ground.name}-writer")
    writer.init_transactions(30)
    writer.begin_transaction()
    for key, value in TEN:
        writer.produce(counting.inputs[0], value, key)
    writer.commit_transaction(30)
    close(writer)
    at, client = TopicPartition(counting.inputs[0], 0), admin(ground.settings)
    with ground.running(counting):
        eventually(lambda: numbers(ground, counting.output) == ALL_TEN)
        eventually(lambda: _committed(client, counting.name, at) == len(TEN) + 1)
    ground.forget_below(counting.inputs[0], 0, len(TEN) + 1)

    with ground.running(counting) as again:
        eventually(lambda: again.health.ready)
        ground.write(counting.inputs[0], [(b"a", b"x")])
        eventually(lambda: numbers(ground, counting.output)[b"a"] == [1, 2, 3, 4, 5, 6, 7])


def _committed(client: AdminClient, group: str, at: TopicPartition) -> int:
    asked = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [at])])
    return asked[group].result(30).topic_partitions[0].offset


class Clock(Counting):
    """Lets time write, once: a record and a count of its own."""

    def tick(self, now: int, view: View) -> Outcome:
        outcome = Outcome()
        for partition in view.partitions():
            if "clock" not in view.state(partition):
                outcome.put(partition, "clock", now)
                outcome.publish(Outbound(self.output, b"clock", str(partition).encode()))
        return outcome


def test_time_alone_writes_in_a_transaction_of_its_own(ground: Ground) -> None:
    """Once a partition, also across a restart, and without moving the group past a record."""
    clock = Clock(ground.name)
    ground.for_processor(clock)

    with ground.running(clock):
        eventually(lambda: sorted(ground.values(clock.output)) == [b"0", b"1"])
    ground.write(clock.inputs[0], [(b"a", b"x")])
    with ground.running(Clock(ground.name)):
        eventually(lambda: len(ground.values(clock.output)) == 3)

    assert numbers(ground, clock.output) == {b"clock": [0, 1], b"a": [1]}
