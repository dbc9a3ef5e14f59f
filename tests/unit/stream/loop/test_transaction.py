"""Every flag of librdkafka leads to one of three ends."""

from __future__ import annotations

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from processors.errors import BrokerUnavailable, Fatal, Fenced, OffsetsLost, TransactionAborted
from processors.stream.loop.health import CALLING
from processors.stream.loop.transaction import (
    KafkaTransaction,
    Reaction,
    backoff,
    persist,
    raise_if_serious,
    reaction_to,
)
from processors.stream.types import Outcome

RETRIABLE = KafkaError(KafkaError.CONCURRENT_TRANSACTIONS, retriable=True)
ABORTABLE = KafkaError(KafkaError.ILLEGAL_GENERATION, txn_requires_abort=True)
FATAL = KafkaError(KafkaError._FENCED, fatal=True)


@pytest.mark.parametrize(
    ("error", "end"),
    [
        pytest.param(RETRIABLE, Reaction.AGAIN, id="retriable"),
        pytest.param(ABORTABLE, Reaction.ABORT, id="abortable"),
        pytest.param(FATAL, Reaction.STOP, id="fatal"),
        pytest.param(KafkaError(KafkaError._FENCED), Reaction.STOP, id="fenced without a flag"),
        pytest.param(
            KafkaError(KafkaError._FENCED, txn_requires_abort=True), Reaction.STOP, id="fenced outweighs abort"
        ),
        pytest.param(
            KafkaError(7, retriable=True, txn_requires_abort=True), Reaction.ABORT, id="abort outweighs again"
        ),
        pytest.param(KafkaError(KafkaError._STATE), Reaction.STOP, id="no flag at all"),
        pytest.param(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), Reaction.STOP, id="too large"),
        pytest.param(KafkaError(KafkaError._TRANSPORT), Reaction.AGAIN, id="a broker went away"),
        pytest.param(
            KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT), Reaction.AGAIN, id="offsets in an open transaction"
        ),
        pytest.param(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), Reaction.STOP, id="not allowed"),
    ],
)
def test_an_error_has_one_verdict(error: KafkaError, end: Reaction) -> None:
    """What has no flag, and does not pass by itself, stops the process."""
    assert reaction_to(error) is end


class Calls:
    """A call that fails with these errors first."""

    def __init__(self, *errors: KafkaError) -> None:
        self.errors = list(errors)
        self.made = 0

    def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise KafkaException(self.errors.pop(0))
        return "done"


def test_what_is_retriable_is_tried_until_it_works() -> None:
    """The loop is seen to be alive at every try."""
    call, beats = Calls(RETRIABLE, RETRIABLE), []

    assert persist(call, 10, lambda: beats.append(1)) == "done"
    assert call.made == len(beats) == 3


@pytest.mark.parametrize(
    ("error", "ends_with"),
    [(ABORTABLE, TransactionAborted), (FATAL, Fenced), (KafkaError(KafkaError._STATE), Fenced)],
)
def test_what_is_not_retriable_is_tried_once(error: KafkaError, ends_with: type[Exception]) -> None:
    call = Calls(error)

    with pytest.raises(ends_with):
        persist(call, 10)
    assert call.made == 1


def test_patience_has_a_deadline() -> None:
    """Then nobody knows what became of the call, and the caller is told so."""
    with pytest.raises(BrokerUnavailable):
        persist(Calls(*[RETRIABLE] * 1000), deadline=0.2)


@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.1), (1, 0.2), (3, 0.8), (5, 2), (1000, 2)])
def test_back_off_doubles_up_to_its_cap_with_full_jitter(attempt: int, longest: float) -> None:
    """Waits fill the whole span from nothing to `base * 2 ** attempt`, and never pass the cap."""
    waits = [backoff(attempt, base=0.1, cap=2) for _ in range(2000)]

    assert 0 <= min(waits) < longest / 10
    assert longest * 0.9 < max(waits) <= longest
    assert longest * 0.4 < sum(waits) / len(waits) < longest * 0.6


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KafkaError(KafkaError._AUTO_OFFSET_RESET), OffsetsLost),
        (KafkaError(KafkaError.OFFSET_OUT_OF_RANGE), OffsetsLost),
        (FATAL, Fatal),
    ],
)
def test_a_consumer_error_that_would_skip_records_stops_the_process(
    error: KafkaError, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        raise_if_serious(error)


def test_a_consumer_error_that_heals_is_let_pass() -> None:
    raise_if_serious(KafkaError(KafkaError._ALL_BROKERS_DOWN))


class Timed:
    """A producer and a consumer at once, whose calls take no time and note how long they may take."""

    def __init__(self) -> None:
        self.granted: dict[str, float] = {}

    def begin_transaction(self) -> None: ...

    def produce(self, *_: object, **__: object) -> None: ...

    def consumer_group_metadata(self) -> None: ...

    def init_transactions(self, timeout: float = -1) -> None:
        self.granted["init"] = timeout

    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        self.granted["committed"] = timeout
        return partitions

    def flush(self, timeout: float = -1) -> int:
        self.granted["flush"] = timeout
        return 0

    def send_offsets_to_transaction(self, _offsets: object, _group: object, timeout: float = -1) -> None:
        self.granted["offsets"] = timeout

    def commit_transaction(self, timeout: float = -1) -> None:
        self.granted["commit"] = timeout

    def abort_transaction(self, timeout: float = -1) -> None:
        self.granted["abort"] = timeout


def test_no_call_waits_without_end_for_a_broker_that_is_silent() -> None:
    """By default the client waits for ever, deaf to signals; each call ends before the watchdog looks for it."""
    timed = Timed()
    transaction = KafkaTransaction(cast(Any, timed), cast(Any, timed), "checker", deadline=10)
    transaction.open("t-0")
    transaction.committed([("t", 0)])
    for end in (transaction.commit, transaction.abort):
        transaction.begin()
        transaction.write(Outcome(), [])
        transaction.advance({("t", 0): 1})
        end()

    assert timed.granted.keys() == {"init", "committed", "flush", "offsets", "commit", "abort"}
    assert {call: limit for call, limit in timed.granted.items() if not 0 < limit < CALLING} == {}


def test_the_way_on_is_one_command_for_all_partitions() -> None:
    transaction = KafkaTransaction(cast(Any, None), cast(Any, None), "checker", deadline=10)

    assert transaction.way_on([("b", 3), ("a", 0), ("b", 1)], "earliest") == (
        "stop every replica, run `kafka-consumer-groups.sh --bootstrap-server BROKER --group checker --topic a:0 "
        "--topic b:1,3 --reset-offsets --to-earliest --execute` (a broker with access control needs "
        "--command-config), and start them again"
    )
