"""One event on its way to one target, and what a try came to. Times are milliseconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reception(StrEnum):
    """What a target made of a try: all that the schedule and the breaker need to know of it."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    """It did not answer, or not now: the same again may succeed."""
    REFUSED = "refused"
    """It answered that it does not take this message: permanent, unless somebody mends the target."""
    UNAUTHORIZED = "unauthorized"
    """It does not know us: every message would be refused, and none is to blame."""
    GONE = "gone"
    """It does not want anything any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of one try. `retry_after` is how many milliseconds the target asks us to wait."""

    reception: Reception
    message: str
    """What was answered, in a few words, without secrets."""
    retry_after: int | None = None


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one target. `body` is made once, so that every try sends the same bytes."""

    target: str
    id: str
    """The event's own id; the receiver knows a repetition by it."""
    type: str
    topic: str
    partition: int
    offset: int
    order_key: str
    """The key of the event's record: events of one topic and key go out in order."""
    at: int
    """When the broker took the event."""
    urgent: bool
    body: bytes
    attempts: int = 0
    refusals: int = 0
    next_at: int = 0
    status: DeliveryStatus = DeliveryStatus.PENDING
    message: str = ""
    """What the last try came to."""

    @property
    def pending(self) -> bool:
        return self.status is DeliveryStatus.PENDING

    @property
    def state_key(self) -> str:
        return delivery_key(self.target, self.topic, self.id)


def delivery_key(target: str, topic: str, id: str) -> str:
    return f"{target}/{topic}/{id}"
