"""How many requests a second: the broker's own limit, Avro's, and the checker's, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition

from processors.bootstrap.clients import codec
from processors.bootstrap.clients import stream_settings as streams
from processors.bootstrap.sealing import seals
from processors.bootstrap.trust import matrix_trust
from processors.checker.processor import Checker
from processors.configuration.settings import Settings
from processors.events.subject import Subject
from processors.events.topics import INSTALL_REQUESTS, RESULTS
from processors.observability.collector import collector_eased
from processors.observability.logs import silence_unless_configured
from processors.stream.loop.loop import run
from processors.stream.types import Inbound, Observer, Outbound, Outcome, View
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import event_headers

from . import subjects

ECHO = "bench.echo"
BATCH = 2000


class Speed(NamedTuple):
    """Records a second, and microseconds of processor time that a record takes in all threads of its process."""

    rate: float
    cpu: float


class Lap:
    """Time from the first record on; what a process does before it is not measured."""

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0

    def begin(self) -> None:
        """May be called for every batch; the first call counts."""
        if not self._wall:
            self._wall, self._cpu = time.perf_counter(), time.process_time()

    def over(self, count: int) -> Speed:
        """The speed of so many records."""
        cpu = (time.process_time() - self._cpu) / count * 1e6
        return Speed(count / (time.perf_counter() - self._wall), cpu)


def load(
    settings: Settings, numbers: Iterator[int], count: int, ask: Callable[[int], Subject] = subjects.subject
) -> None:
    """Write that many requests, outside of any measurement."""
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka.bootstrap,
            "linger.ms": 20,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
        }
    )
    with codec(settings) as events:
        encoder = events.encoder(INSTALL_REQUESTS, "InstallRequested")
        for record in subjects.requests(encoder, numbers, count, ask):
            while True:
                try:
                    producer.produce(record.topic, record.value, record.key, headers=list(record.headers))
                    break
                except BufferError:
                    producer.poll(0.1)
    producer.flush()


def apart(measure: str, settings: Settings, count: int) -> Speed:
    """Run a measurement of this module in a fresh process."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_measured, args=(measure, settings, count, answers))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"measuring {measure} ended with {process.exitcode}")
    return answers.get()


def _measured(measure: str, settings: Settings, count: int, answers: Any) -> None:
    silence_unless_configured()
    answers.put({"raw": _raw, "codec": _codec, "checker": _checker}[measure](settings, count))


def skip_to_end(settings: Settings, group: str) -> None:
    """Commit the present end of the requests for a group, so that it sees only what is written from here on."""
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap, "group.id": group})
    with closing(consumer):
        partitions = consumer.list_topics(INSTALL_REQUESTS).topics[INSTALL_REQUESTS].partitions
        ends = [
            TopicPartition(
                INSTALL_REQUESTS, n, consumer.get_watermark_offsets(TopicPartition(INSTALL_REQUESTS, n))[1]
            )
            for n in partitions
        ]
        consumer.commit(offsets=ends, asynchronous=False)


def _raw(settings: Settings, count: int) -> Speed:
    """Nothing but the client: a batch in, the same batch out, with headers, in a transaction. The collector is as
    seldom in its way as in the product's."""
    with collector_eased():
        return _echoed(settings, count)


def _echoed(settings: Settings, count: int) -> Speed:
    common = {"bootstrap.servers": settings.kafka.bootstrap, "retry.backoff.ms": 20}
    consumer = Consumer(
        common
        | {
            "group.id": "raw",
            "group.protocol": "consumer",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "queued.min.messages": 20_000,
            "fetch.queue.backoff.ms": 20,  # as the product has it; the default starves whoever is fast
        }
    )
    producer = Producer(
        common
        | {
            "transactional.id": "raw",
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.init_transactions()
    consumer.subscribe([INSTALL_REQUESTS])
    positions: dict[int, int] = {}
    handled, lap = 0, Lap()
    while handled < count:
        messages = consumer.consume(1, 0.5)
        if not messages:
            continue
        lap.begin()
        messages += consumer.consume(BATCH - 1, 0)
        producer.begin_transaction()
        for message in messages:
            producer.produce(ECHO, message.value(), message.key(), headers=message.headers())
            positions[message.partition()] = message.offset() + 1
        producer.flush()
        offsets = [TopicPartition(INSTALL_REQUESTS, n, offset) for n, offset in positions.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
        producer.commit_transaction()
        handled += len(messages)
    speed = lap.over(count)
    consumer.close()
    return speed


class _Timed:
    """A processor that is stopped after so many records, and knows when they began."""

    def __init__(self, processor: Any, count: int, stop: threading.Event) -> None:
        self._processor, self._left, self._stop = processor, count, stop
        self.name, self.inputs = processor.name, processor.inputs
        self.tables, self.state = processor.tables, processor.state
        self.lap = Lap()

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        self.lap.begin()
        outcome = self._processor.handle(batch, view)
        self._left -= len(batch)
        if self._left <= 0:
            self._stop.set()
        return outcome

    def observe(self, outcome: Outcome, view: View) -> None:
        if isinstance(self._processor, Observer):
            self._processor.observe(outcome, view)

    def tick(self, now: int, view: View) -> Outcome:
        return self._processor.tick(now, view)


def _timed(processor: Any, settings: Settings, count: int) -> Speed:
    stop = threading.Event()
    timed = _Timed(processor, count, stop)
    run(timed, streams(settings), stop)
    return timed.lap.over(count)


class _Recode:
    """Decodes each request whole and encodes a result of ordinary size: what Avro alone costs."""

    name = "codec"
    inputs = (INSTALL_REQUESTS,)
    tables = ()
    state = None

    def __init__(self, events: Codec) -> None:
        self._decode = events.decoder(INSTALL_REQUESTS, "InstallRequested")
        self._encode = events.encoder(RESULTS, "CompatibilityChecked")
        self._result = ordinary_result()

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        for record in batch:
            with outcome.rejecting(record):
                request = self._decode(record.value)
                value = self._encode({**self._result, "request_id": request["request_id"]})
                headers = event_headers(
                    id=request["request_id"], type="bench", source="/bench", time=view.now, cause=record.headers
                )
                outcome.publish(Outbound(ECHO, request["request_id"].encode(), value, headers))
        return outcome

    def tick(self, now: int, view: View) -> Outcome:
        return Outcome()


def ordinary_result() -> dict[str, Any]:
    """What the checker answers to a request that fits."""
    from .matrix import answer_to

    return answer_to(1)


def _codec(settings: Settings, count: int) -> Speed:
    with codec(settings) as events:
        return _timed(_Recode(events), settings, count)


def _checker(settings: Settings, count: int) -> Speed:
    with codec(settings) as events:
        return _timed(Checker(events, seals(settings), trust=matrix_trust(settings)), settings, count)
