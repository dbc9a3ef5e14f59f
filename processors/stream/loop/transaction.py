"""A Kafka transaction, and the only place that reads the flags of a KafkaError.

librdkafka says of every error whether the call can be repeated, whether the transaction must be aborted, or
neither. The three reactions are: repeat with back-off, raise `TransactionAborted`, or stop the process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Protocol, TypeVar, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from processors.errors import BrokerUnavailable, Fatal, Fenced, OffsetsLost, TransactionAborted
from processors.stream.denials import unless_denied
from processors.stream.types import Outbound, Outcome

T = TypeVar("T")

At = tuple[str, int]
"""Topic and partition."""


class Transaction(Protocol):
    """Commits outcomes together with the offsets that caused them: in Kafka here, in Postgres in the ledger.

    The loop calls begin, write, advance and commit in this order, or abort instead of the rest. Every method may
    raise Unavailable, after which the loop aborts, waits, and handles the same records again; and Fatal.
    """

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        """The next offset of each partition that has one. Waits for transactions that other owners left open.

        After DatabaseUnavailable it is called again in a later round; any other error ends the process.
        """
        ...

    def given_up(self, partitions: Collection[At]) -> Mapping[At, int]:
        """Up to before which offset an operator has given up what a log does not contain any more. May raise as
        `committed` does."""
        ...

    def way_on(self, partitions: Collection[At], to: Literal["earliest", "latest"]) -> str:
        """How an operator lets it continue at the beginnings or the ends of logs, as part of a sentence."""
        ...

    def begin(self) -> None: ...

    def write(self, outcome: Outcome, records: Sequence[Outbound]) -> None:
        """`records` is everything in the outcome that goes to topics: outputs, changelog, dead letters."""
        ...

    def advance(self, positions: Mapping[At, int]) -> None:
        """Commit the next offsets, once everything written is safe."""
        ...

    def commit(self) -> None: ...

    def abort(self) -> None: ...


class Reaction(Enum):
    AGAIN = "the same call may be made again"
    ABORT = "the transaction must be aborted, and may be tried again as a whole"
    STOP = "nothing this process does can help"


def reaction_to(error: KafkaError) -> Reaction:
    """How to react to an error. A fatal flag outweighs the others."""
    if error.fatal() or error.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED):
        return Reaction.STOP
    if error.txn_requires_abort():
        return Reaction.ABORT
    if error.retriable() or error.code() in _PASSING:
        return Reaction.AGAIN
    return Reaction.STOP


_PASSING = frozenset(
    # Errors that calls outside a transaction report without a flag while a broker is away.
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._DESTROY_BROKER,  # the broker left the cluster during the request
        KafkaError._TIMED_OUT,
        KafkaError._WAIT_COORD,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,  # the client does not know of the restart yet
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)


def raise_if_serious(error: KafkaError) -> None:
    """Judge an error that came instead of a record. Most of them resolve themselves; these two do not.

    Raises:
        OffsetsLost: the position is outside the log.
        Fatal: librdkafka cannot recover the client.
    """
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        raise OffsetsLost(f"a position lies outside the log: {error.str()}")
    if error.fatal():
        raise Fatal(f"the consumer cannot go on: {error.str()}")


def is_end_of_partition(error: KafkaError) -> bool:
    return error.code() == KafkaError._PARTITION_EOF


def backoff(attempt: int, *, base: float = 0.05, cap: float = 5.0) -> float:
    """Seconds to wait before try number `attempt` (from 0): exponential, capped, with full jitter."""
    return random.uniform(0, min(cap, base * 2 ** min(attempt, 20)))  # noqa: S311 - jitter, not a secret


def persist(call: Callable[[], T], deadline: float, alive: Callable[[], None] = lambda: None) -> T:
    """Repeat a call until it succeeds, for at most `deadline` seconds. `alive` is called before every try.

    Raises:
        TransactionAborted: the transaction cannot be completed; abort it.
        Fenced: another process has taken over the identity.
        BrokerUnavailable: the deadline passed, and it is unknown whether the call took effect.
    """
    until, attempt = time.monotonic() + deadline, 0
    while True:
        alive()
        try:
            return call()
        except KafkaException as error:
            _judge(error, until)
        time.sleep(backoff(attempt, cap=1.0))
        attempt += 1


def _judge(error: KafkaException, until: float) -> None:
    cause: KafkaError = error.args[0]
    match reaction_to(cause):
        case Reaction.ABORT:
            raise TransactionAborted(f"the transaction was given up: {cause.str()}") from error
        case Reaction.STOP:
            raise Fenced(f"kafka refuses this process ({cause.name()}): {cause.str()}") from error
        case Reaction.AGAIN:
            if time.monotonic() >= until:
                raise BrokerUnavailable(f"no answer from kafka: {cause.str()}") from error


def _answered(partitions: list[TopicPartition]) -> list[TopicPartition]:
    """Raises KafkaException for a partition with an error, which is not the same as having no offset."""
    for partition in partitions:
        if partition.error is not None:
            raise KafkaException(partition.error)
    return partitions


class KafkaTransaction:
    """Outputs, changelog, dead letters and offsets of a `group` in one Kafka transaction."""

    def __init__(
        self,
        producer: Producer,
        consumer: Consumer,
        group: str,
        deadline: float,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._producer, self._consumer, self._group = producer, consumer, group
        self._deadline, self._alive = deadline, alive

    def open(self, identity: str) -> None:
        """Take over `identity`, the producer's transactional id.

        Its previous user is fenced, and its open transaction is aborted.

        Raises:
            AccessDenied: this principal may not use that id.
            BrokerUnavailable: no broker answered in time; may be called again.
        """
        self._persist(lambda: unless_denied(lambda: self._producer.init_transactions(10.0), identity, "WRITE"))

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        wanted = [TopicPartition(topic, partition) for topic, partition in partitions]
        found = self._persist(lambda: _answered(self._consumer.committed(wanted, 10.0))) if wanted else []
        return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def given_up(self, partitions: Collection[At]) -> Mapping[At, int]:  # noqa: ARG002 - they set the offset
        return {}

    def way_on(self, partitions: Collection[At], to: Literal["earliest", "latest"]) -> str:
        topics: dict[str, list[str]] = {}
        for topic, partition in sorted(partitions):
            topics.setdefault(topic, []).append(str(partition))
        chosen = " ".join(f"--topic {topic}:{','.join(numbers)}" for topic, numbers in topics.items())
        return (
            f"stop every replica, run `kafka-consumer-groups.sh --bootstrap-server BROKER --group {self._group} "
            f"{chosen} --reset-offsets --to-{to} --execute` (a broker with access control needs --command-config), "
            "and start them again"
        )

    def begin(self) -> None:
        self._decided(self._producer.begin_transaction)

    def write(self, outcome: Outcome, records: Sequence[Outbound]) -> None:  # noqa: ARG002 - the ledger's needs it
        produce = self._producer.produce
        for topic, key, value, headers, partition in records:
            at = -1 if partition is None else partition
            while True:
                try:
                    produce(topic, value, key, at, headers=cast(Any, list(headers)))
                    break
                except BufferError:
                    self._flush()  # the queue is full; never continue without the record
                except KafkaException as error:
                    _judge(error, until=0.0)

    def advance(self, positions: Mapping[At, int]) -> None:
        """Flushes first: sending offsets while records are in flight costs a back-off inside librdkafka."""
        self._flush()
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
        group = self._consumer.consumer_group_metadata()
        self._decided(lambda: self._producer.send_offsets_to_transaction(offsets, group, 10.0))

    def commit(self) -> None:
        self._decided(lambda: self._producer.commit_transaction(10.0))

    def abort(self) -> None:
        self._decided(lambda: self._producer.abort_transaction(10.0))

    def _persist(self, call: Callable[[], T]) -> T:
        return persist(call, self._deadline, self._alive)

    def _decided(self, call: Callable[[], T]) -> T:
        """As `_persist`, but after a timeout the outcome of the transaction is unknown."""
        try:
            return self._persist(call)
        except BrokerUnavailable as error:
            raise Fenced(f"the outcome of a transaction is unknown: {error}") from error

    def _flush(self) -> None:
        until = time.monotonic() + self._deadline
        while self._persist(lambda: self._producer.flush(5.0)) > 0:
            self._alive()
            if time.monotonic() >= until:
                raise Fenced("the outcome of a transaction is unknown: records could not be delivered in time")
