"""Whether our consumers still know a broker.

A broker that is just starting may answer that it knows of none, itself included. librdkafka believes it, forgets
every address, and never asks again: seen in 2.16 under either `metadata.recovery.strategy`, and described in
confluentinc/librdkafka#5301. Such a consumer looks like one to which nobody writes: a table would stay as it was,
and requests would be answered by it. So each consumer is asked for its topic now and then. One that hears nothing
while a client made for the purpose is answered cannot be mended, only made afresh, and with it the process.

While the broker answers nobody, that is an outage, and is waited for: `silent` says so.
"""

from __future__ import annotations

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
"""Seconds between two rounds of questions."""

PATIENCE: Final = 2.0
"""Seconds to wait for one answer, which a broker on the other side of the world gives within one."""

MISSES: Final = 2
"""Rounds in a row in which others are answered. A connection that is just being made again needs less than one."""


class Contact:
    """Asks on behalf of clients, by topic. Not thread-safe: it belongs to the loop.

    `silent` is True while no broker answers anybody, as far as the last round tells.
    """

    def __init__(
        self, settings: StreamSettings, consumers: Mapping[str, Consumer | Producer], every: float = EVERY
    ) -> None:
        self._settings, self._consumers, self._every = settings, consumers, every
        self._next = time.monotonic() + every
        self._misses: Counter[str] = Counter()
        self.silent = False

    def check(self) -> None:
        """Ask, if it is time. Takes a round trip for each consumer, and at most twice `PATIENCE` where one hears
        nothing: a silent broker has nothing to say to the others either.

        Raises:
            Fatal: a consumer has lost every broker, though brokers are there.
        """
        if time.monotonic() < self._next:
            return
        self.silent = False
        for topic, consumer in self._consumers.items():
            if _is_answered(consumer, topic):
                del self._misses[topic]
            elif self._others_are_answered(topic):
                self._missed(topic)
            else:
                self.silent = True
                break
        self._next = time.monotonic() + self._every

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
