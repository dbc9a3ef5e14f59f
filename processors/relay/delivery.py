"""One event on its way to one target, and the result of an attempt. Times are milliseconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reception(StrEnum):
    """The kind of a target's answer: everything that the schedule and the breaker need to know of it."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    """It did not answer, or cannot take it now: a retry may succeed."""
    REFUSED = "refused"
    """It refused this message: permanent, unless the target is fixed."""
    UNAUTHORIZED = "unauthorized"
    """It does not accept our credentials: every message would be refused, and no message is to blame."""
    GONE = "gone"
    """The target no longer exists."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of one attempt. `retry_after` is how many milliseconds the target asks us to wait."""

    reception: Reception
    message: str
    """The answer in a few words, without secrets."""
    retry_after: int | None = None


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one target. `body` is created once, so that every attempt sends the same bytes."""

    target: str
    id: str
    """The event's own id; the receiver recognises a repetition by it."""
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
    """The result of the last attempt."""

    @property
    def pending(self) -> bool:
        return self.status is DeliveryStatus.PENDING

    @property
    def state_key(self) -> str:
        return delivery_key(self.target, self.topic, self.id)


def delivery_key(target: str, topic: str, id: str) -> str:
    return f"{target}/{topic}/{id}"
