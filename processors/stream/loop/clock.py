"""The broker's time, as the broker stamps appended records with it.

The clock of a process decides nothing. An hour behind, it would accept an expired matrix; days ahead, it would let
approvals lapse for good. Everything that the guard judges was stamped by the broker, so timers and expiries are
judged by the broker's clock as well.

An idle topic does not show the present time, so each process appends a small record of its own every few seconds.
The acknowledgement contains the time at which the broker took it. From there on a monotonic clock counts. The
result is never ahead of the broker's clock, and lags behind it by the time that an acknowledgement takes to come
back.

If the two clocks differ by more than `MOST_SKEW`, one of them is wrong and nobody can say which. Requests are still
judged by the broker's time. Timers stop until the clocks agree: their effects cannot be undone.
"""

from __future__ import annotations

import math
import time
from typing import Final, cast

import structlog
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message

from processors.errors import BrokerUnavailable, Fatal, SettingsInvalid
from processors.observability import metrics
from processors.stream.io import clients
from processors.stream.settings import StreamSettings

EVERY: Final = 5.0
"""Seconds between two questions."""

PATIENCE: Final = 4.0
"""Seconds after which an answer is ignored: it would be too imprecise."""

KEEPS: Final = 60.0
"""Seconds for which an answer is used. Clocks of machines drift apart by milliseconds in that time."""

MOST_SKEW: Final = 30_000
"""Milliseconds by which the clocks of process and broker may differ before timers stop."""

UNANSWERED: Final = 60.0
"""Seconds without an answer to this clock, while brokers answer other clients, after which the process is
restarted: its producer has failed for good, and waiting does not help."""

LAGS: Final = 60.0
"""Seconds for which a topic that worked before may be refused: a broker that has just started may not know it
yet, or not its access rules."""

_JITTER: Final = 1000
"""Milliseconds by which an answer may seem to turn time back, because it took longer than the previous one."""

_DENIED: Final = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.TOPIC_AUTHORIZATION_FAILED}
)

_log = structlog.get_logger(__name__)


def process_time() -> int:
    """The process's own clock, in milliseconds since the epoch. It is used for comparison only."""
    return time.time_ns() // 1_000_000


class Clock:
    """The broker's time for one loop. Not thread-safe: it belongs to the loop."""

    def __init__(self, processor: str, settings: StreamSettings) -> None:
        self._processor, self._topic = processor, settings.clock
        self.producer = clients.prompt_producer(settings, PATIENCE)
        self._base: float | None = None
        """The broker's time, less the seconds that `_ticks` showed then."""
        self._answered_at = self._asked_at = self._last = 0.0
        self._failure: SettingsInvalid | Fatal | None = None
        self._denied_since = self._deaf_since = math.inf
        self._skew = 0
        metrics.CLOCK_SKEW.labels(processor)

    def start(self) -> None:
        """Ask for the first time, and wait for the answer.

        Raises:
            BrokerUnavailable: there was none. May be called again.
            SettingsInvalid: the topic does not exist, may not be written, or does not use the broker's time.
            Fatal: the producer cannot go on.
        """
        clients.partition_count(self.producer, self._topic)
        if self._base is None:
            self._ask()
            self.producer.flush(PATIENCE + 1)
            self._raise_failure()
        if self._base is None:
            self._refuse_unanswered(others_are_answered=True)  # another client got the number of partitions
            raise BrokerUnavailable(f"no broker has told the time within {PATIENCE:g} s")

    def look(self, *, others_are_answered: bool = True) -> None:
        """Process answers, and ask again if it is time. Takes microseconds and never waits.

        Raises:
            BrokerUnavailable: the last answer is too old.
            SettingsInvalid: as `start` does.
            Fatal: as `start` does; or other clients get answers, and this clock has had none for too long.
        """
        self.producer.poll(0)
        self._raise_failure()
        if _ticks() - self._asked_at >= EVERY:
            self._ask()
        if _ticks() - self._answered_at > KEEPS:
            self._refuse_unanswered(others_are_answered=others_are_answered)
            raise BrokerUnavailable(f"no broker has told the time for {KEEPS:g} s")
        self._compare()

    def now(self) -> int:
        """Milliseconds since the epoch, UTC. Never ahead of the broker's clock. Only after `start`."""
        now = (self._base or 0.0) + _ticks() * 1000
        self._last = self._last if 0 < self._last - now < _JITTER else now
        return int(self._last)

    @property
    def agrees(self) -> bool:
        """Whether timers may fire: the clocks of process and broker roughly agree."""
        return abs(self._skew) <= MOST_SKEW

    def close(self) -> None:
        clients.close(self.producer)

    def _ask(self) -> None:
        self._asked_at = asked = _ticks()

        def answered(error: KafkaError | None, message: Message) -> None:
            self._hear(error, message, asked)

        try:
            self.producer.produce(self._topic, b"", self._processor.encode(), on_delivery=answered)
        except BufferError as error:
            _log.warning("the broker could not be asked for the time", error=str(error))
        except KafkaException as error:
            _log.warning("the broker could not be asked for the time", error=str(error))
            self._note_end(error.args[0])

    def _hear(self, error: KafkaError | None, message: Message, asked: float) -> None:
        if error is not None:
            self._note_denial(error)
            self._note_end(error)
            return
        self._denied_since = self._deaf_since = math.inf
        kind, stamped = message.timestamp()
        if kind != TIMESTAMP_LOG_APPEND_TIME:
            self._failure = SettingsInvalid(
                f"topic `{self._topic}` must have message.timestamp.type=LogAppendTime; "
                "run `compat-guard topics apply`"
            )
            return
        self._answered_at = asked + cast(float, message.latency())
        self._base = stamped - self._answered_at * 1000
        self._compare()

    def _note_denial(self, error: KafkaError) -> None:
        """Fails at once before the first answer; after it, only if the refusal persists."""
        if error.code() not in _DENIED:
            return
        self._denied_since = min(self._denied_since, _ticks())
        if self._base is None or _ticks() - self._denied_since >= LAGS:
            self._failure = SettingsInvalid(
                f"topic `{self._topic}` cannot be written ({error.name()}); "
                "run `compat-guard topics apply` and `compat-guard acls apply`"
            )

    def _note_end(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:
            self._failure = Fatal(f"the producer that asks for the time cannot go on: {error.str()}")

    def _refuse_unanswered(self, *, others_are_answered: bool) -> None:
        """An outage is waited out, however long it lasts."""
        if not others_are_answered:
            self._deaf_since = math.inf
            return
        self._deaf_since = min(self._deaf_since, _ticks())
        if _ticks() - self._deaf_since >= UNANSWERED:
            raise Fatal(
                f"brokers answer, and none has told the time for {UNANSWERED:g} s: this client cannot go on"
            )

    def _compare(self) -> None:
        agreed = self.agrees
        self._skew = process_time() - self.now()
        metrics.CLOCK_SKEW.labels(self._processor).set(self._skew / 1000)
        if agreed and not self.agrees:
            _log.critical(
                "clocks disagree, and timers stop", processor=self._processor, skew_seconds=self._skew / 1000
            )
        elif self.agrees and not agreed:
            _log.warning("clocks agree again", processor=self._processor)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _ticks() -> float:
    """Seconds of a clock that is never set, and that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
