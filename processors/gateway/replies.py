"""The reader of a replica: it reads every partition of the topics with answers, without a consumer group.

A group would move partitions away from the replica whose caller waits. Reading everything costs every replica the
rate of answers times their size; only answers that a request waits for are decoded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final

import structlog

from processors.errors import AccessDenied, BrokerUnavailable, EventUnreadable, Fatal, GuardError, Unavailable
from processors.events.topics import DEAD_LETTERS, EXCEPTION_DECISIONS, RESULTS
from processors.gateway.positions import Position
from processors.stream.io.follow import Follower
from processors.stream.loop.transaction import backoff
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import header
from processors.stream.wire.reader import decision_reader

REPLAYED: Final = 15 * 60 * 1000
"""Milliseconds before the start from which answers are read again, so that a retry after a restart finds its
own."""

Answer = tuple[tuple[str, str], bytes]
"""The key under which an answer is waited for, and its bytes."""

_log = structlog.get_logger(__name__)


def result_key(request_id: str) -> tuple[str, str]:
    """The result of a request: its record as stored on the topic."""
    return ("result", request_id)


def decision_key(place: str) -> tuple[str, str]:
    """The workflow's decision on the record at `topic/partition/offset`."""
    return ("decision", place)


def change_key(exception_id: str, sequence: int) -> tuple[str, str]:
    """The change of an exception with this number."""
    return ("change", f"{exception_id}/{sequence}")


def refusal_key(place: str) -> tuple[str, str]:
    """Why the record at `topic/partition/offset` became a dead letter, as UTF-8."""
    return ("refusal", place)


class Replies:
    """A thread that passes on what it reads, batch by batch, until it is stopped or fails."""

    def __init__(
        self,
        settings: StreamSettings,
        codec: Codec,
        deliver: Callable[[Sequence[Answer], Sequence[Inbound]], None],
        begins: Callable[[Position], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """All callbacks are called on the thread.

        `deliver` gets the answers of a batch and its results. `begins` gets the position where results begin,
        before the first of them, and the end of the topic whenever the reader restarts.
        """
        self._settings, self._deliver, self._begins, self._failed = settings, deliver, begins, failed
        self._decision = decision_reader(codec)
        self._stop = threading.Event()
        self.caught_up = threading.Event()
        """Set once the reader has its positions and has read the replayed answers."""
        self.silent = False
        """Whether no broker answers, as far as is known."""
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="replies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def is_stalled(self, after: float) -> bool:
        """Whether the reader has not completed a round for this many seconds."""
        return time.monotonic() - self._beat > after

    def _run(self) -> None:
        attempt = 0
        try:
            while not self._stop.is_set():
                try:
                    self._follow()
                except (Unavailable, AccessDenied) as error:
                    if isinstance(error, AccessDenied) and not self.caught_up.is_set():
                        raise  # later it may pass: a broker that has just started may not know its access rules yet
                    _log.warning("answers cannot be read yet", message=str(error))
                    self._stop.wait(backoff(attempt))
                    attempt += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody is answered any more: the process ends
            self._failed(error)

    def _follow(self) -> None:
        with closing(Follower(self._settings, "gateway")) as follower:
            since = time.time_ns() // 1_000_000 - REPLAYED
            follower.from_time([RESULTS, EXCEPTION_DECISIONS, DEAD_LETTERS], since)
            if self.caught_up.is_set():
                self._begins(follower.ends(RESULTS))
            contact = follower.contact(RESULTS)
            while not self._stop.is_set():
                self._batch(follower)
                self._beat = time.monotonic()
                try:
                    contact.check()
                except Fatal as error:  # a new reader helps, and callers who wait keep their connections
                    raise BrokerUnavailable(str(error)) from error
                self.silent = contact.silent

    def _batch(self, follower: Follower) -> None:
        records = follower.batch(0.1)
        if records:
            answers = [answer for record in records for answer in self._answers(record)]
            live = self.caught_up.is_set()
            self._deliver(answers, [record for record in records if record.topic == RESULTS] if live else ())
        if not self.caught_up.is_set() and follower.caught_up:
            self._begins(follower.positions(RESULTS))
            self.caught_up.set()

    def _answers(self, record: Inbound) -> Sequence[Answer]:
        """The answers in a record, each under its key."""
        if record.topic == DEAD_LETTERS:
            message = header(record.headers, "__streams.errors.message") or ""
            return [(refusal_key(_came_from(record)), message.encode())]
        if record.value is None:
            return []
        if record.topic == RESULTS:
            return [(result_key((record.key or b"").decode("utf-8", "replace")), record.value)]
        try:
            decided = self._decision(record.value)
        except EventUnreadable as error:
            _log.warning("a decision cannot be read", offset=record.offset, message=str(error))
        except (
            GuardError
        ) as error:  # the registry is unavailable: callers that wait for this answer are told to retry
            _log.error("a decision was passed over", offset=record.offset, message=str(error))
        else:
            keys = (decision_key(decided.caused_by), change_key(decided.exception_id, decided.sequence))
            return [(key, record.value) for key in keys]
        return []


def _came_from(record: Inbound) -> str:
    """The original position of the record behind this dead letter, as `topic/partition/offset`."""
    parts = ("topic", "partition", "offset")
    return "/".join(str(header(record.headers, f"__streams.errors.{part}")) for part in parts)
