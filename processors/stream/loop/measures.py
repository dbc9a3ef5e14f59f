"""The metrics of the loop, labelled with the processor's name."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from confluent_kafka import Consumer, TopicPartition

from processors.errors import BrokerUnavailable, DatabaseUnavailable, Refused, RegistryUnavailable
from processors.observability import metrics
from processors.stream.loop.judge import POISON
from processors.stream.loop.table import Table
from processors.stream.loop.transaction import At
from processors.stream.types import INTERNAL, Inbound, Outbound, Reject

KEY_MISMATCH = "key_mismatch"
"""The reason of a reject whose record is under a key that is not its own."""


def reasons() -> frozenset[str]:
    """Every reason for which a record may become a dead letter."""
    return frozenset({INTERNAL, KEY_MISMATCH, POISON, *_reasons_of(Refused)})


def _reasons_of(kind: type[Refused]) -> Iterator[str]:
    yield kind.reason
    for narrower in kind.__subclasses__():
        yield from _reasons_of(narrower)


class Measures:
    """The metrics of one loop."""

    def __init__(self, processor: str, inputs: Iterable[str] = ()) -> None:
        self._processor = processor
        self._waiting_on: str | None = None
        for reason in reasons():  # a rate cannot see the first increment of a new series
            metrics.REJECTS.labels(processor, reason)
        for topic in inputs:
            metrics.RECORDS_IN.labels(processor, topic)
        for end in ("committed", "aborted"):
            metrics.TRANSACTIONS.labels(processor, end)
        for kind in (BrokerUnavailable, DatabaseUnavailable, RegistryUnavailable):
            metrics.UNAVAILABLE.labels(processor, kind.__name__)

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        started = time.perf_counter()
        yield
        metrics.PHASE_SECONDS.labels(self._processor, name).observe(time.perf_counter() - started)

    def committed(
        self, batch: Sequence[Inbound], records: Sequence[Outbound], rejects: Sequence[Reject], state_keys: int
    ) -> None:
        for topic, count in Counter([record.topic for record in batch]).items():
            metrics.RECORDS_IN.labels(self._processor, topic).inc(count)
        for topic, count in Counter([record.topic for record in records]).items():
            metrics.RECORDS_OUT.labels(self._processor, topic).inc(count)
        for reason, count in Counter(reject.reason for reject in rejects).items():
            metrics.REJECTS.labels(self._processor, reason).inc(count)
        if batch:
            waited = time.time() - min([record.timestamp for record in batch]) / 1000
            metrics.DECISION_SECONDS.labels(self._processor).observe(max(waited, 0.0))
        metrics.TRANSACTIONS.labels(self._processor, "committed").inc()
        metrics.STATE_KEYS.labels(self._processor).set(state_keys)

    def aborted(self) -> None:
        metrics.TRANSACTIONS.labels(self._processor, "aborted").inc()

    def waiting(self, on: str | None) -> None:
        if self._waiting_on is not None:
            metrics.WAITING.labels(self._processor, self._waiting_on).set(0)
        if on is not None:
            metrics.WAITING.labels(self._processor, on).set(1)
            metrics.UNAVAILABLE.labels(self._processor, on).inc()
        self._waiting_on = on

    def table(self, table: Table, rejects: Sequence[Reject]) -> None:
        metrics.TABLE_REVISION.labels(self._processor, table.topic).set(table.revision)
        for reason, count in Counter(reject.reason for reject in rejects).items():
            metrics.TABLE_REJECTS.labels(self._processor, table.topic, reason).inc(count)

    def lag(self, consumer: Consumer, positions: Mapping[At, int]) -> None:
        """From the results of the last fetches: no request is made. Positions are past what is no record."""
        waiting: Counter[str] = Counter()
        for (topic, partition), position in positions.items():
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            waiting[topic] += max(end - position, 0)
        for topic, count in waiting.items():
            metrics.LAG.labels(self._processor, topic).set(count)
