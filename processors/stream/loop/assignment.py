"""Which partitions this process owns, and its position in each.

Positions are kept only here. They are set when a partition is assigned, advance when a transaction commits, and are
what a rewind returns to. A partition without a position is not handled, whatever the broker sends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from processors.errors import DatabaseUnavailable, Fatal, OffsetsLost
from processors.observability import metrics
from processors.stream.io import clients
from processors.stream.loop.health import WORKING, Health
from processors.stream.loop.restore import Restored, restore
from processors.stream.loop.starting_points import starting_points
from processors.stream.loop.state import KeyedState, complete
from processors.stream.loop.transaction import At, Transaction, persist
from processors.stream.loop.trials import Trials
from processors.stream.settings import StreamSettings, required_seals
from processors.stream.types import Processor

_log = structlog.get_logger(__name__)

OUTSIDE = 60.0
"""Seconds that a member which the group has lost waits to rejoin. Sessions of others are over by then."""


class Assignment:
    """Handles the group's rebalances. Its callbacks run inside a poll, never while a transaction is open.

    For a processor with state, partition n is handled only once it is owned in every input, and its state is
    restored.
    """

    def __init__(
        self,
        *,
        consumer: Consumer,
        processor: Processor,
        settings: StreamSettings,
        transaction: Transaction,
        state: KeyedState,
        health: Health,
        trials: Trials | None,
        partition_counts: Mapping[str, int],
    ) -> None:
        self._consumer, self._processor, self._settings = consumer, processor, settings
        self._transaction, self._state, self._health = transaction, state, health
        self._trials = trials
        self._together = partition_counts if processor.state is not None else dict[str, int]()
        self._eager = clients.is_eager(settings, copartitioned=len(processor.inputs) > 1)
        self._owned: set[At] = set()
        self._held: set[At] = set()
        self._failure: Exception | None = None
        self._postponed = False
        self._lost_at = math.inf
        self._leaving = False
        self.positions: dict[At, int] = {}

    def numbers(self) -> Sequence[int]:
        """The partition numbers that are handled, in order."""
        return sorted({partition for _, partition in self.positions})

    def has_first(self) -> bool:
        """Whether this process owns the first partition, and so does what only one process may do."""
        return (self._processor.inputs[0], 0) in self.positions

    def leave(self) -> None:
        """Must be called before the consumer is closed. Partitions that arrive while it closes are returned
        untouched.

        A consumer that closes gets no answers any more, and waiting for one would delay the exit.
        """
        self._leaving = True

    def on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Take partitions over.

        Errors are kept for the loop: raised here, the client would report an error once and then deliver the
        partition's records all the same. While a database is unavailable, partitions stay paused: a new process
        could do no more than wait for it, too. A new one has a new client of the broker, which may help there.
        """
        if self._leaving:
            return
        try:
            self._take_or_postpone({(p.topic, p.partition) for p in partitions})
        except Exception as error:  # noqa: BLE001 - raise_failure hands it to the loop, which stops
            self._failure = error

    def on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group has continued without this member. Another one may own its partitions already."""
        self._health.assigned = False
        self._lost_at = time.monotonic()
        self.on_revoke(consumer, partitions)

    def on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Forget partitions. No transaction is open for them."""
        gone = {(p.topic, p.partition) for p in partitions}
        self._owned -= gone
        self._held -= gone
        ready = self._ready()
        orphans = set(self.positions) - ready - gone
        self.positions = {at: offset for at, offset in self.positions.items() if at in ready}
        for number in {partition for _, partition in gone}:
            self._state.drop(number)
        if orphans:
            self._consumer.pause(_partitions(orphans))
        _log.info("partitions revoked", processor=self._processor.name, partitions=_show(gone))
        metrics.PARTITIONS.labels(self._processor.name).set(len(self.positions))

    def settle(self) -> None:
        """Take over what was postponed.

        Raises:
            Fatal: an error while partitions were taken over, or the group does not let this member rejoin.
            DatabaseUnavailable: partitions still wait for it.
        """
        if self._failure is not None:
            raise Fatal(f"partitions could not be taken over: {self._failure}") from self._failure
        if time.monotonic() - self._lost_at > OUTSIDE:
            raise Fatal(f"the group has not let this member in again for {OUTSIDE:g} s")
        if self._postponed:
            self._take(set())

    def hold(self, waiting: Mapping[At, int]) -> None:
        """Go back to these offsets, and pause their partitions until `release`: others are read first."""
        for (topic, partition), offset in waiting.items():
            self._consumer.seek(TopicPartition(topic, partition, offset))
            self._consumer.pause([TopicPartition(topic, partition)])
            self._held.add((topic, partition))

    def release(self) -> None:
        """Resume the paused partitions."""
        self._consumer.resume(_partitions(self._held))
        self._held = set()

    def rewind(self) -> None:
        """Go back to the positions: everything read since is read again."""
        for (topic, partition), offset in self.positions.items():
            try:
                self._consumer.seek(TopicPartition(topic, partition, offset))
            except KafkaException as error:
                if TopicPartition(topic, partition) in self._consumer.assignment():
                    raise Fatal(f"cannot go back to offset {offset} of {topic}/{partition}: {error}") from error

    def _take_or_postpone(self, arrived: set[At]) -> None:
        try:
            self._take(arrived)
        except DatabaseUnavailable as error:
            _log.warning("partitions wait", processor=self._processor.name, message=str(error))
            self._postponed = True
            self._assign(arrived, {})

    def _take(self, arrived: set[At]) -> None:
        self._health.restored = False
        self._owned |= arrived
        ready = self._ready()
        fresh = sorted(ready - set(self.positions))
        self._health.beat(WORKING)
        committed = self._transaction.committed(fresh)
        client = clients.admin(self._settings)
        starts = self._starting_points(client, fresh, committed)
        self._restore(client, sorted({partition for _, partition in fresh}))
        self._require_offsets(fresh, committed)
        if self._trials is not None:
            trials, at = self._trials, dict(starts)
            persist(lambda: trials.taken(at), self._settings.retry_deadline, self._health.beat)
        self._assign(arrived, starts)
        self._postponed = False
        self.positions.update(starts)
        self._health.assigned = self._health.restored = True
        self._lost_at = math.inf
        _log.info("partitions assigned", processor=self._processor.name, partitions=_show(arrived))
        metrics.PARTITIONS.labels(self._processor.name).set(len(self.positions))

    def _ready(self) -> set[At]:
        numbers = complete(self._owned, self._together)
        return {at for at in self._owned if at[1] in numbers}

    def _require_offsets(self, fresh: Sequence[At], committed: Mapping[At, int]) -> None:
        """Raises OffsetsLost for a partition with state but without a committed offset.

        From the beginning of the log, everything would be applied to that state a second time.
        """
        known = {partition for _, partition in committed}
        for number in sorted({partition for _, partition in fresh} - known):
            if held := len(self._state.of(number)):
                raise OffsetsLost(
                    f"group {self._processor.name} has {held} states in partition {number} and no offsets there: "
                    "was it away for longer than the broker's `offsets.retention.minutes`? Set the group's offsets "
                    "to where it stopped"
                )

    def _starting_points(
        self, client: AdminClient, partitions: Sequence[At], committed: Mapping[At, int]
    ) -> dict[At, int]:
        """Raises OffsetsLost, and DatabaseUnavailable."""
        deadline, alive = self._settings.retry_deadline, self._health.beat
        bounds = persist(lambda: clients.bounds(client, partitions), deadline, alive)
        by = self._transaction
        return starting_points(self._processor.name, bounds, committed, by.given_up, by.way_on)

    def _restore(self, client: AdminClient, numbers: Sequence[int]) -> None:
        spec = self._processor.state
        if spec is None or not numbers:
            return
        started, seals = time.monotonic(), required_seals(self._settings)
        deadline, alive = self._settings.retry_deadline, self._health.beat
        ends = persist(lambda: clients.ends(client, [(spec.changelog, n) for n in numbers]), deadline, alive)
        reader = clients.reader(self._settings, self._processor.name, brief=True)
        try:
            restored = restore(reader, spec, ends, seals, deadline, alive)
        finally:
            reader.close()
        for number, state in restored.items():
            self._state.take(number, state)
            self._warn(number, state)
        metrics.RESTORE_SECONDS.labels(self._processor.name).set(time.monotonic() - started)

    def _warn(self, number: int, restored: Restored) -> None:
        refused = [reject for reject in restored.unsound.values() if reject is not None]
        if refused:
            _log.error(
                "a changelog holds records that are not ours",
                processor=self._processor.name,
                partition=number,
                count=len(refused),
                offset=refused[0].record.offset,
                message=refused[0].message,
            )

    def _assign(self, arrived: set[At], starts: Mapping[At, int]) -> None:
        """Start ready partitions at their offsets, and pause those that wait for their counterparts."""
        targets = [TopicPartition(topic, n, starts.get((topic, n), 0)) for topic, n in sorted(arrived)]
        if targets:
            (self._consumer.assign if self._eager else self._consumer.incremental_assign)(targets)
        if early := arrived - set(starts):
            self._consumer.pause(_partitions(early))
        if woken := set(starts) - arrived:
            for topic, partition in woken:
                self._consumer.seek(TopicPartition(topic, partition, starts[topic, partition]))
            self._consumer.resume(_partitions(woken))


def _partitions(at: set[At]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for topic, partition in sorted(at)]


def _show(at: set[At]) -> list[str]:
    return [f"{topic}/{partition}" for topic, partition in sorted(at)]
