"""From publishing a request to reading its answer, at a steady rate: the checker, and an echo that does nothing."""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition

from processors.bootstrap.clients import codec
from processors.bootstrap.clients import stream_settings as streams
from processors.bootstrap.sealing import seals
from processors.bootstrap.trust import matrix_trust
from processors.checker.processor import Checker
from processors.configuration.settings import Settings
from processors.events.topics import INSTALL_REQUESTS, RESULTS
from processors.observability.logs import silence_unless_configured
from processors.stream.loop.loop import run
from processors.stream.types import Inbound, Outbound, Outcome, View

from . import subjects
from .throughput import ECHO

RATE = 200
"""Requests a second."""


class Percentiles(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float


class _Echo:
    """Sends what it gets: the floor under every transactional processor."""

    name = "echo"
    inputs = (INSTALL_REQUESTS,)
    tables = ()
    state = None

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        for record in batch:
            id = dict(record.headers)["ce_id"] or b""
            outcome.publish(Outbound(ECHO, id, record.value, record.headers))
        return outcome

    def tick(self, now: int, view: View) -> Outcome:
        return Outcome()


def measured(which: str, settings: Settings, seconds: float) -> Percentiles:
    """Latencies of the `checker` or the `echo`, which runs in a process of its own."""
    with serving(which, settings):
        return asked(settings, ECHO if which == "echo" else RESULTS, seconds)


@contextmanager
def serving(which: str, settings: Settings) -> Iterator[None]:
    """The `checker` or the `echo` in a process of its own, until the block ends."""
    context = multiprocessing.get_context("spawn")
    stop, ready = context.Event(), context.Event()
    process = context.Process(target=_served, args=(which, settings, stop, ready))
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError(f"the {which} did not start")
        time.sleep(2.0)  # its group is still being formed
        yield
    finally:
        stop.set()
        process.join()


def _served(which: str, settings: Settings, stop: Any, ready: Any) -> None:
    silence_unless_configured()
    ready.set()
    ended = threading.Event()
    threading.Thread(target=lambda: (stop.wait(), ended.set()), daemon=True).start()
    with codec(settings) as events:
        run(
            Checker(events, seals(settings), trust=matrix_trust(settings)) if which == "checker" else _Echo(),
            streams(settings),
            ended,
        )


def asked(settings: Settings, answers: str, seconds: float, rate: int = RATE) -> Percentiles:
    """Ask through Kafka so many times a second, and poll for the answers, as an ordinary client does."""
    count = int(rate * seconds)
    consumer = _at_end(settings, answers)
    producer = Producer(
        {"bootstrap.servers": settings.kafka.bootstrap, "linger.ms": 0, "partitioner": "murmur2_random"}
    )
    sent: dict[bytes, float] = {}
    seen: dict[bytes, float] = {}

    def read() -> None:
        until = time.monotonic() + seconds + 15
        while len(seen) < count and time.monotonic() < until:
            message = consumer.poll(0.02)  # `consume` would wait for more, and add up to its whole patience
            if message is not None and message.error() is None:
                seen.setdefault(message.key() or b"", time.perf_counter())

    reading = threading.Thread(target=read)
    reading.start()
    with codec(settings) as events:
        encoder = events.encoder(INSTALL_REQUESTS, "InstallRequested")
        requests = list(subjects.requests(encoder, subjects.cycling(500), count))
    started = time.perf_counter()
    for number, record in enumerate(requests):
        time.sleep(max(0.0, started + number / rate - time.perf_counter()))
        sent[dict(record.headers)["ce_id"] or b""] = time.perf_counter()
        producer.produce(record.topic, record.value, record.key, headers=list(record.headers))
        producer.poll(0)
    producer.flush()
    reading.join()
    consumer.close()
    waits = [(seen[id] - at) * 1000 for id, at in sent.items() if id in seen]
    if len(waits) < count:
        raise RuntimeError(f"{count - len(waits)} of {count} requests were not answered")
    return percentiles(waits)


def percentiles(waits: Sequence[float]) -> Percentiles:
    """Of milliseconds."""
    cuts = statistics.quantiles(waits, n=100)
    return Percentiles(cuts[49], cuts[98])


def _at_end(settings: Settings, topic: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka.bootstrap,
            "group.id": "bench-latency",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 5,
        }
    )
    numbers = consumer.list_topics(topic).topics[topic].partitions
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in numbers]
    consumer.assign([TopicPartition(topic, n, end) for n, end in zip(numbers, ends, strict=True)])
    return consumer
