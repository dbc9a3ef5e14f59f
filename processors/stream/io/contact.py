"""Whether our consumers still know a broker.

A broker that is just starting may answer that it knows of none, itself included. librdkafka believes it, forgets
every address, and never asks again: seen in 2.16 under either `metadata.recovery.strategy`, and described in
confluentinc/librdkafka#5301. Such a consumer looks like one to which nobody writes: a table would stay as it was,
and requests would be answered by it. So each consumer is asked for its topic now and then. One that hears nothing
while a client made for the purpose is answered cannot be mended, only made afresh, and with it the process.

While the broker answers nobody, that is an outage, and is waited for: `silent` says so.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Final, Self

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
    """Asks on behalf of clients, by topic, in a thread of its own from `with` on: a round takes a tenth of a second
    even where all is well, and a loop that waited for it would answer nobody meanwhile.

    The block must end before the clients are closed.
    """

    def __init__(
        self, settings: StreamSettings, clients: Mapping[str, Consumer | Producer], every: float = EVERY
    ) -> None:
        self._settings, self._clients, self._every = settings, clients, every
        self._misses: Counter[str] = Counter()
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="contact", daemon=True)
        self.silent = False
        """Whether no broker answers anybody, as far as the last round tells."""
        self.asking = False
        """Whether a round is under way. As long as it lasts, nobody knows whether brokers answer."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Waits for the question that is under way: for `PATIENCE`, and as long again where others are asked."""
        self._stop.set()
        self._thread.join(2 * PATIENCE + 1)

    def check(self) -> None:
        """Waits for nobody.

        Raises:
            Fatal: a client has lost every broker, though brokers are there.
        """
        if self._failure is not None:
            raise self._failure

    def ask(self) -> None:
        """One round: a round trip for each client, and up to twice `PATIENCE` for each that hears nothing while
        others are answered. Where nobody is, the first one tells.

        Raises:
            Fatal: as `check` does.
        """
        self.asking, silent = True, False
        for topic, client in self._clients.items():
            if self._stop.is_set():
                break
            if _is_answered(client, topic):
                del self._misses[topic]
            elif self._others_are_answered(topic):
                self._missed(topic)
            else:
                silent = True
                break
        self.silent = silent  # first: nobody may take the end of a round for an answer
        self.asking = False

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._every):
                self.ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, `check` raises it in the loop, which ends
            self._failure = error

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
