"""Detects consumers that have lost every broker.

A broker that is just starting may answer that it knows no brokers, itself included. librdkafka believes it, forgets
every address, and never asks again: seen in 2.16 under either `metadata.recovery.strategy`, and described in
confluentinc/librdkafka#5301. Such a consumer looks like one whose topic gets no records: a table would stay as it
was, and requests would be answered by it. So each client that has heard nothing for a while asks for its topic. If
one gets no answer while a new client does, it cannot recover; only a new client, and so a new process, helps.

If the broker answers nobody, that is an outage, which is waited out: `silent` reports it.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Final

from confluent_kafka import Consumer, KafkaException, Producer

from processors.errors import Fatal
from processors.stream.io import clients
from processors.stream.io.heard import HearingConsumer
from processors.stream.settings import StreamSettings

EVERY: Final = 3.0
"""Seconds in which each client has its turn once."""

HEARD: Final = 2.0
"""Seconds without anything from a broker after which a consumer asks.

Those who were heard from are not asked: the answer waits behind a pending fetch for up to a tenth of a second, in
which no request is answered. Where followed topics were idle, that was most of the 99th percentile of latency.
"""

PATIENCE: Final = 2.0
"""Seconds to wait for one answer; a broker on the other side of the world answers within one."""

MISSES: Final = 2
"""Unanswered questions of a client in a row, while others are answered. Connecting takes fewer."""


class Contact:
    """Asks on behalf of clients, by topic, one at a time. Not thread-safe: it belongs to the loop.

    The calls of one client wait for each other, so a separate thread would block the loop and be blocked by it.
    `silent` is True while no broker answers any client, as of the last question.
    """

    def __init__(
        self, settings: StreamSettings, clients: Mapping[str, Consumer | Producer], every: float = EVERY
    ) -> None:
        self._settings, self._every = settings, every
        self._turns, self._count = itertools.cycle(clients.items()), len(clients)
        self._next = time.monotonic() + every / self._count
        self._misses: Counter[str] = Counter()
        self.silent = False

    def check(self) -> None:
        """Look at the next client if it is time. Takes nothing where it was heard from, else a round trip, and at
        most twice `PATIENCE` without an answer.

        Raises:
            Fatal: a client has lost every broker, though brokers are available.
        """
        if time.monotonic() < self._next:
            return
        topic, client = next(self._turns)
        self.silent = False
        if _was_heard(client) or _is_answered(client, topic):
            del self._misses[topic]
        elif self._others_are_answered(topic):
            self._note_silence(topic)
        else:
            self.silent = True
        self._next = time.monotonic() + (self._every if self.silent else self._every / self._count)

    def _note_silence(self, topic: str) -> None:
        self._misses[topic] += 1
        if self._misses[topic] >= MISSES:
            raise Fatal(
                f"the consumer of `{topic}` has lost every broker, while others reach {self._settings.bootstrap}"
            )

    def _others_are_answered(self, topic: str) -> bool:
        with closing(clients.reader(self._settings, "contact")) as fresh:
            return _is_answered(fresh, topic)


def _was_heard(client: Consumer | Producer) -> bool:
    return isinstance(client, HearingConsumer) and client.silence < HEARD


def _is_answered(client: Consumer | Producer, topic: str) -> bool:
    try:
        return bool(client.list_topics(topic, timeout=PATIENCE).brokers)
    except KafkaException:
        return False
