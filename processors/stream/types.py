"""The architecture of a consumer as types: a batch and a view go in, an outcome comes out.

The loop polls a batch, passes it to a `Processor`, writes the `Outcome` in one transaction together with the
offsets, and only then updates the state. A processor never sees Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from processors.errors import Fatal, OutputTooLarge, Refused, Unavailable, shorten

Headers = Sequence[tuple[str, bytes | None]]

INTERNAL = "internal"
"""The reason of a reject that is caused by our own code and not by the data."""

LARGEST_VALUE = 1_000_000
"""The most bytes of a value that we write or accept. A broker takes batches of 1,048,588 bytes by default."""


_NEVER = 2**63


class NotYet(Exception):
    """Raised for a record that must not be judged before others that are still unread.

    It and all records after it in its partition are handled again, after a second at most.
    """


@dataclass(slots=True)
class Inbound:
    """One record as received. Treat it as frozen: a rewind delivers the same record again.

    `timestamp` is the broker's append time if the topic is configured so, in milliseconds since the epoch, UTC.
    `value` is None for a tombstone; an empty value is `b""` and something else.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Outbound(NamedTuple):
    """One record to write. `partition` None lets the key decide (murmur2, as Java clients do).

    Only a dead letter may lack a key: it is kept as received.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Reject(NamedTuple):
    """A record that cannot be processed, and why. The loop makes it a dead letter in the same transaction."""

    record: Inbound
    reason: str
    message: str
    stage: str


class Write(NamedTuple):
    """One change of keyed state. `value` None deletes the key."""

    partition: int
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class StateSpec:
    """Keyed state and the compacted topic that holds it.

    Values must be immutable: the loop returns the very objects that it keeps. `encode` gives the bytes of a
    changelog record, `decode` reads them; `decode(encode(v)) == v` is tested for every processor.
    """

    changelog: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    prefix: str = ""
    """The prefix of the keys of this state, if several processors keep theirs in one changelog."""


class Fold(Protocol):
    """A table: a compacted topic that every process reads completely before the first batch.

    `apply` takes new records and returns those that it refuses; the last good snapshot must stay when it refuses
    some. The snapshot is immutable and is replaced as a whole.
    """

    topic: str

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]: ...
    def snapshot(self) -> Any: ...


class LogEntry(NamedTuple):
    """An entry for the log."""

    event: str
    facts: Mapping[str, str | int]
    is_error: bool = False


@runtime_checkable
class LogSource(Protocol):
    """A fold that has more to report than refused records."""

    def log_entries(self) -> Sequence[LogEntry]:
        """What has happened since the last call."""
        ...


class View(Protocol):
    """What a processor may look at while it handles a batch. Nothing in it changes during the batch."""

    @property
    def now(self) -> int:
        """Milliseconds since the epoch, UTC, by the broker's clock; one instant for the whole batch."""
        ...

    @property
    def clocks_agree(self) -> bool:
        """Whether timers may fire.

        False while the clocks of process and broker differ so much that one of them must be wrong: the effects of a
        timer cannot be undone.
        """
        ...

    def state(self, partition: int) -> Mapping[str, Any]:
        """The committed state of one input partition, without writes of the current batch."""
        ...

    def table(self, topic: str) -> Any:
        """The snapshot of the fold of that topic."""
        ...

    def partitions(self) -> Sequence[int]:
        """The input partitions that this process owns."""
        ...

    def partition_count(self, topic: str) -> int:
        """How many partitions a topic has, for a record that must go to the partition of its key."""
        ...

    def read_until(self, partition: int) -> int:
        """The time up to which all inputs of this partition are read: everything that the broker took until then is
        in the state, or in the current batch.

        At most `now`, in its unit; 0 while nothing is known, and while clocks do not agree. Only for processors
        with state. Asks the broker, once for a view, so check first whether a timer is due. It requires topics with
        the broker's append time. Raises BrokerUnavailable.
        """
        ...


@dataclass(slots=True)
class Outcome:
    """The result of a batch. All of it takes effect when the transaction commits, and nothing before."""

    outputs: list[Outbound] = field(default_factory=list[Outbound])
    writes: list[Write] = field(default_factory=list[Write])
    rejects: list[Reject] = field(default_factory=list[Reject])
    overlay: dict[tuple[int, str], Any] = field(default_factory=dict[tuple[int, str], Any])
    facts: list[Any] = field(default_factory=list[Any])
    """What `Observer.observe` counts."""
    waiting: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    """Offsets by topic and partition from which records were left for later."""

    def publish(self, *records: Outbound) -> None:
        """Add outputs. Raises OutputTooLarge for a key and value that no topic would take.

        Headers are not measured: our own are short, and callers must check those that they pass on from others.
        """
        for record in records:
            size = len(record.value or b"") + len(record.key or b"")
            if size > LARGEST_VALUE:
                raise OutputTooLarge(f"an answer for {record.topic} has {size} bytes, at most {LARGEST_VALUE}")
        self.outputs.extend(records)

    def get(self, view: View, partition: int, key: str) -> Any:
        """The state under a key including the writes of this batch; None if there is none."""
        at = (partition, key)
        return self.overlay[at] if at in self.overlay else view.state(partition).get(key)

    def put(self, partition: int, key: str, value: Any) -> None:
        """Change the state under a key; None deletes it."""
        self.overlay[partition, key] = value
        self.writes.append(Write(partition, key, value))

    def rejecting(self, record: Inbound) -> Rejecting:
        """Turn the error of a record into its dead letter, and undo everything that the record had led to.

        All outputs of a record are written, or none. Unavailable and Fatal pass through: the record is not their
        cause. NotYet leaves it for later.
        """
        return Rejecting(self, record, len(self.outputs), len(self.writes), len(self.facts))

    def waits(self, record: Inbound) -> bool:
        """Whether it comes after a record of its partition that was left for later, and so has to wait too."""
        return record.offset >= self.waiting.get((record.topic, record.partition), _NEVER)

    def undo(self, outputs: int, writes: int, facts: int) -> None:
        """Go back to so many outputs, writes and facts."""
        del self.outputs[outputs:]
        del self.writes[writes:]
        del self.facts[facts:]
        self.overlay = {(w.partition, w.key): w.value for w in self.writes}


class Rejecting:
    """The context manager of `Outcome.rejecting`. A class, because it is entered for every record."""

    __slots__ = ("_lengths", "_outcome", "_record")

    def __init__(self, outcome: Outcome, record: Inbound, *lengths: int) -> None:
        self._outcome, self._record, self._lengths = outcome, record, lengths

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if error is None:
            return False
        if isinstance(error, Unavailable | Fatal) or not isinstance(error, Exception):
            return False
        self._outcome.undo(*self._lengths)
        if isinstance(error, NotYet):
            self._outcome.waiting[self._record.topic, self._record.partition] = self._record.offset
        else:
            self._outcome.rejects.append(_reject(self._record, error))
        return True


def _reject(record: Inbound, error: Exception) -> Reject:
    """Pure code fails the same way again, so every error makes a dead letter."""
    if isinstance(error, Refused):
        return Reject(record, error.reason, str(error), getattr(error, "stage", "handle"))
    return Reject(record, INTERNAL, shorten(f"{type(error).__name__}: {error}"), "handle")


class Processor(Protocol):
    """The whole logic of a consumer, without Kafka.

    `handle` and `tick` may read the batch and the view and nothing else: no clock, no I/O, no memory of their own
    that changes a result. The loop may call them again with the same batch after an abort.
    """

    @property
    def name(self) -> str:
        """Also the consumer group and the transactional id's prefix."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Topics of the consumer group; co-partitioned if the processor has state."""
        ...

    @property
    def tables(self) -> tuple[Fold, ...]: ...

    @property
    def state(self) -> StateSpec | None: ...

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome: ...

    def tick(self, now: int, view: View) -> Outcome:
        """What time alone causes, about once a second, in a transaction of its own."""
        ...


@runtime_checkable
class Observer(Protocol):
    """A processor that also counts and logs."""

    def observe(self, outcome: Outcome, view: View) -> None:
        """Called once for what has been committed, and after a tick that led to nothing.

        `view` still shows the state from which the outcome was made. Must be cheap, and must not change any result.
        """
        ...
