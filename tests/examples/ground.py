"""Topics of one's own on the shared broker, and a processor running on them in a thread."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from examples.sealing import SEALS
from examples.topic_reader import TopicReader

from processors.errors import Fatal
from processors.stream.io import clients
from processors.stream.loop.health import Health
from processors.stream.loop.loop import run
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound, Processor

_GIVEN_UP = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)
"""How a client reports what it was told to give up."""

COMMITTED, UNCOMMITTED = IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED


@dataclass
class Worker:
    """A processor that runs in a thread, and what became of it."""

    health: Health
    stop: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None
    thread: threading.Thread | None = None

    def end(self) -> BaseException | None:
        self.stop.set()
        return self.wait()

    def wait(self, seconds: float = 60) -> BaseException | None:
        assert self.thread is not None
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the processor did not stop"
        return self.failure


class Ground:
    """Everything a stream test does to a broker."""

    def __init__(self, bootstrap: str, registry: str, *, replicas: int = 1, **more: Any) -> None:
        self.name, self._replicas = f"t{uuid.uuid4().hex[:8]}", replicas
        self.settings = StreamSettings(
            bootstrap=bootstrap,
            registry=registry,
            poll=0.1,
            tick=0.2,
            dead_letters=f"{self.name}-dead",
            clock=f"{self.name}-clock",
            seals=SEALS,
            **more,
        )
        self._admin, self._producer = clients.admin(self.settings), clients.plain_producer(self.settings)
        self._replacing, self._lost = threading.Lock(), list[Producer]()

    @cached_property
    def reader(self) -> TopicReader:
        return TopicReader(self.settings, self.name)

    def reconnect(self) -> None:
        """For when the broker has started anew: a client that saw it start may have lost it for good."""
        self.close()
        eventually(lambda: clients.admin(self.settings).list_topics(timeout=5).brokers, 60)
        self._admin, self._producer = clients.admin(self.settings), clients.plain_producer(self.settings)

    def close(self) -> None:
        for producer in (*self._lost, self._producer):
            clients.close(producer)
        self._lost.clear()
        if reader := self.__dict__.pop("reader", None):
            reader.close()

    def topics(self, *names: str, partitions: int = 2, **config: str) -> None:
        new = [NewTopic(name, partitions, self._replicas, config=config) for name in names]
        for done in self._admin.create_topics(new).values():
            done.result(30)
        eventually(lambda: set(names) <= self.names())

    def leader(self, topic: str, partition: int) -> int:
        """The number of the broker that leads a partition."""
        return self._admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader

    def is_replicated(self) -> bool:
        """Whether every replica of every topic has what its leader has, and somebody can say so."""
        try:
            known = self._admin.list_topics(timeout=10).topics.values()
        except KafkaException:
            return False
        return all(sorted(p.isrs) == sorted(p.replicas) for topic in known for p in topic.partitions.values())

    def cluster_id(self) -> str:
        return str(self._admin.list_topics(timeout=10).cluster_id)

    def names(self) -> set[str]:
        return set(self._admin.list_topics(timeout=10).topics)

    def for_processor(self, processor: Any, partitions: int = 2) -> None:
        """The topics that the counting processor and its like need."""
        self.topics(*processor.inputs, processor.output, processor.state.changelog, partitions=partitions)
        self.topics(self.settings.dead_letters, partitions=1, **{"max.message.bytes": "2097152"})
        self.for_clock()

    def for_clock(self) -> None:
        """The topic by which a loop asks for the time, where there is none yet."""
        if self.settings.clock not in self.names():
            self.topics(self.settings.clock, partitions=1, **{"message.timestamp.type": "LogAppendTime"})

    def write(
        self, topic: str, records: Iterable[tuple[bytes | None, bytes | None]], *, patience: float = 30, **more: Any
    ) -> None:
        """Write records, and return when the broker has them all. Several threads may write at once.

        A client that has lost every broker for good (see contact.py) is replaced, and what it still had goes again.
        """
        left, refused = dict(enumerate(records)), list[KafkaError]()

        def note(number: int, error: KafkaError | None, _: Message) -> None:
            """Whichever thread polls the client calls this."""
            if error is None:
                left.pop(number, None)
            elif error.code() not in _GIVEN_UP:
                refused.append(error)

        deadline, used = time.monotonic() + patience, None
        while left:
            if (producer := self._producer) is not used:
                used = producer
                for number, (key, value) in list(left.items()):
                    producer.produce(topic, value, key, on_delivery=partial(note, number), **more)
            waiting = producer.flush(5)
            assert not refused, f"`{topic}`: {refused[0]}"
            assert time.monotonic() < deadline, f"{len(left)} records for `{topic}` are not written"
            if waiting:
                self._replace_if_lost(producer)

    def _replace_if_lost(self, producer: Producer) -> None:
        with self._replacing:
            if producer is not self._producer or _is_answered(producer):
                return
            if _is_answered(clients.admin(self.settings)):
                self._lost.append(producer)  # not closed yet: other threads still use it
                self._admin, self._producer = clients.admin(self.settings), clients.plain_producer(self.settings)
                producer.purge()

    def read(self, topic: str) -> list[Inbound]:
        """All that was committed on a topic, partition by partition."""
        return self.reader.read(topic)

    def wait_for_open_transactions(self, *topics: str) -> None:
        """Offsets can be committed a moment before the records that were written with them may be read."""
        eventually(lambda: self._ends(topics, COMMITTED) == self._ends(topics, UNCOMMITTED), 60)

    def _ends(self, topics: Iterable[str], isolation: IsolationLevel) -> dict[TopicPartition, int]:
        known = self._admin.list_topics(timeout=10).topics
        asked = {TopicPartition(t, n): OffsetSpec.latest() for t in topics for n in known[t].partitions}
        found = self._admin.list_offsets(asked, isolation_level=isolation)
        return {at: offsets.result(30).offset for at, offsets in found.items()}

    def values(self, topic: str) -> list[bytes | None]:
        return [record.value for record in self.read(topic)]

    def forget_below(self, topic: str, partition: int, offset: int) -> None:
        """Delete records, as retention would."""
        for done in self._admin.delete_records([TopicPartition(topic, partition, offset)]).values():
            done.result(30)
        self.reader.forget(topic)

    @contextmanager
    def running(
        self, processor: Processor, *, fails: bool = False, supervised: bool = False, **more: Any
    ) -> Iterator[Worker]:
        """Run it until the block ends; unless it `fails`, it must not have ended with an error.

        A `supervised` one is started afresh when it ends with Fatal, as in production.
        """
        self.for_clock()
        worker = Worker(Health(processor.name))

        def work() -> None:
            try:
                run(processor, self.settings, worker.stop, health=worker.health, **more)
            except Fatal as error:
                if supervised and not worker.stop.is_set():
                    return work()
                worker.failure = error
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                worker.failure = error

        worker.thread = threading.Thread(target=work, name=processor.name)
        worker.thread.start()
        try:
            yield worker
        finally:
            failure = worker.end()
        if failure is not None and not fails:
            raise failure


def eventually(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until a condition holds; what it last was is in the failure.

    The longer it takes, the less often it is looked at: most conditions read a topic, which costs the broker more
    than what is waited for.
    """
    began = time.monotonic()
    while not (last := condition()):
        waited = time.monotonic() - began
        assert waited < seconds, f"still {last!r} after {seconds} s"
        time.sleep(min(max(waited / 6, 0.05), 0.3))


def _is_answered(client: Producer | AdminClient) -> bool:
    try:
        client.list_topics(timeout=2)
    except KafkaException:
        return False
    return True
