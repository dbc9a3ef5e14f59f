"""Dead letters: what could not be processed, why, and how to replay it.

A dead letter is the original record, byte for byte, with headers that say what happened. It is written in the
transaction that moves past the original, so that no record is lost and none is quarantined twice.

Unreadable input is quarantined without limit: nobody who can write to a topic must be able to stop the guard. Only
records on which our own code failed count towards the circuit breaker: a bad release must not turn a whole topic
into dead letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from processors.errors import BreakerOpen, shorten
from processors.masking.texts import scrub
from processors.stream.types import INTERNAL, LARGEST_VALUE, Headers, Inbound, Outbound, Reject

EXCEPTION = "__streams.errors.exception"
MESSAGE = "__streams.errors.message"
STACKTRACE = "__streams.errors.stacktrace"
TOPIC = "__streams.errors.topic"
PARTITION = "__streams.errors.partition"
OFFSET = "__streams.errors.offset"
PROCESSOR = "guard.errors.processor"
STAGE = "guard.errors.stage"
REASON = "guard.errors.reason"
TRUNCATED = "guard.errors.truncated"
REPLAYED = "guard.replayed"

_OURS = frozenset({EXCEPTION, MESSAGE, STACKTRACE, TOPIC, PARTITION, OFFSET, PROCESSOR, STAGE, REASON, TRUNCATED})

_KEPT = 1000
"""Bytes of key and value that are kept of an original that is too large."""

LONGEST_MESSAGE = 500
"""The most characters of an error in a dead letter.

Errors must not contain payloads or secrets: they are logged and listed.
"""


def dead_letter(reject: Reject, processor: str, topic: str) -> Outbound:
    """The dead letter of a reject.

    For a record too large to be copied, only the beginnings of key and value are kept.
    """
    record = reject.record
    original = [header for header in record.headers if header[0] not in _OURS]
    facts = {
        EXCEPTION: reject.reason,
        MESSAGE: shorten(scrub(reject.message), LONGEST_MESSAGE),
        STACKTRACE: "",
        TOPIC: record.topic,
        PARTITION: str(record.partition),
        OFFSET: str(record.offset),
        PROCESSOR: processor,
        STAGE: reject.stage,
        REASON: reject.reason,
    }
    key, value = record.key, record.value
    if (size := _size(key, value, original)) > LARGEST_VALUE:
        facts[TRUNCATED] = str(size)
        key, value, original = key and key[:_KEPT], value and value[:_KEPT], []
    headers = (*original, *((name, text.encode(errors="replace")) for name, text in facts.items()))
    return Outbound(topic, key, value, headers)


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    own = len(key or b"") + len(value or b"")
    return own + sum(len(name.encode()) + len(content or b"") for name, content in headers)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, read back."""

    record: Inbound
    """The record on the dead letters' topic."""
    topic: str
    partition: int
    offset: int
    processor: str
    reason: str
    stage: str
    message: str
    truncated: bool
    again: str = ""
    """The earlier dead letter that was replayed and came back as this one; empty if it came for the first time."""

    @property
    def id(self) -> str:
        """Its position among the dead letters, as `partition:offset`."""
        return f"{self.record.partition}:{self.record.offset}"

    def original(self, source: Inbound) -> Outbound:
        """The original record, marked as replayed. The key decides on the partition.

        `source` is the dead letter's own record, or the original one if that was too large to be copied.
        """
        headers = [header for header in source.headers if header[0] not in _OURS]
        return Outbound(self.topic, source.key, source.value, (*headers, (REPLAYED, self.id.encode())))


def read_letter(record: Inbound) -> Letter | None:
    """The fields of a dead letter; None for a record that the guard did not write."""
    said = {name: (content or b"").decode(errors="replace") for name, content in record.headers}
    try:
        return Letter(
            record=record,
            topic=said[TOPIC],
            partition=int(said[PARTITION]),
            offset=int(said[OFFSET]),
            processor=said[PROCESSOR],
            reason=said[REASON],
            stage=said[STAGE],
            message=said[MESSAGE],
            truncated=TRUNCATED in said,
            again=said.get(REPLAYED, ""),
        )
    except (KeyError, ValueError):
        return None


IN_A_ROW = 5
WINDOW = 1000
OF_WINDOW = 10


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """Stops the process when our own code fails on more than 5 records in a row, or on 1 % of the last 1,000.

    The second rule needs 1,000 records: one failure among the first ten proves nothing. Frozen, so that a batch
    which is aborted and handled again counts once.
    """

    row: int = 0
    seen: int = 0
    failures: tuple[int, ...] = ()

    def after(self, batch: Sequence[Inbound], rejects: Sequence[Reject]) -> CircuitBreaker:
        """The breaker once this batch is committed.

        Raises:
            BreakerOpen: the release, not the data, is to blame. Nothing of the batch may be committed.
        """
        failed = {id(reject.record): reject.message for reject in rejects if reject.reason == INTERNAL}
        if not failed:
            return CircuitBreaker(0 if batch else self.row, self.seen + len(batch), self.failures)
        breaker = self
        for record in batch:
            breaker = breaker._next(failed=id(record) in failed, sample=next(iter(failed.values())))
        return breaker

    def _next(self, *, failed: bool, sample: str) -> CircuitBreaker:
        seen = self.seen + 1
        recent = tuple(at for at in (*self.failures, *((seen,) if failed else ())) if at > seen - WINDOW)
        row = self.row + 1 if failed else 0
        if row > IN_A_ROW:
            raise BreakerOpen(f"our own code failed on {row} records in a row, such as: {sample}")
        if seen >= WINDOW and len(recent) > OF_WINDOW:
            raise BreakerOpen(
                f"our own code failed on {len(recent)} of the last {WINDOW} records, such as: {sample}"
            )
        return CircuitBreaker(row, seen, recent)
