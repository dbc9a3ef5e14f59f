"""Whether our consumers still know a broker.

A broker that is just starting may answer that it knows of none, itself included. librdkafka believes it, forgets
every address, and never asks again: seen in 2.16 under either `metadata.recovery.strategy`, and described in
confluentinc/librdkafka#5301. Such a consumer looks like one to which nobody writes: a table would stay as it was,
and requests would be answered by it. So each consumer is asked for its topic now and then. One that hears nothing
while a client made for the purpose is answered cannot be mended, only made afresh, and with it the process.

While the broker answers nobody, that is an outage, and is waited for: `silent` says so.
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
from processors.stream.settings import StreamSettings

EVERY: Final = 3.0
"""Seconds in which each client is asked once. An answer comes behind that of a fetch that waits for records, so all
of them in a row would take a tenth of a second, for which nobody else would be answered."""

PATIENCE: Final = 2.0
"""Seconds to wait for one answer, which a broker on the other side of the world gives within one."""

MISSES: Final = 2
"""Questions of a client in a row while others are answered. A connection that is being made needs less."""


class Contact:
    """Asks on behalf of clients, by topic, one at a time. Not thread-safe: it belongs to the loop. The calls of one
    client wait for each other, so a thread of its own would wait for the loop, and the loop for it.

    `silent` is True while no broker answers anybody, as far as the last question tells.
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
        """Ask the next one, if it is time. Takes a round trip, and at most twice `PATIENCE` where it hears nothing.

        Raises:
            Fatal: a client has lost every broker, though brokers are there.
        """
        if time.monotonic() < self._next:
            return
        topic, client = next(self._turns)
        self.silent = False
        if _is_answered(client, topic):
            del self._misses[topic]
        elif self._others_are_answered(topic):
            self._missed(topic)
        else:
            self.silent = True
        self._next = time.monotonic() + (self._every if self.silent else self._every / self._count)

    def _missed(self, topic: str) -> None:
        self._misses[topic] += 1
        if self._misses[topic] >= MISSES:
            raise Fatal(
                f"the consumer of `{topic}` has lost every broker, while others reach {self._settings.bootstrap}"
            )

    def _others_are_answered(self, topic: str) -> bool:
        with closing(clients.reader(self._settings, "contact")) as fresh:
            return _is_answered(fresh, topic)


def _is_answered(client: Consumer | Producer, topic: str) -> bool:
    try:
        return bool(client.list_topics(topic, timeout=PATIENCE).brokers)
    except KafkaException:
        return False
