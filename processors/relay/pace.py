"""When a delivery is retried, and when it is given up. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from processors.relay.delivery import Delivery, DeliveryStatus, Reception, Reply

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000

JITTER = 0.2
"""A wait varies by up to this part, so that deliveries that failed together are not retried together."""

MOST_REFUSALS = 3
"""Attempts after which a message that the target refuses is given up."""

LONGEST_RETRY_AFTER = 10 * MINUTE
"""The longest wait that a target can ask for."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`waits` are the milliseconds before the second attempt, the third, and so on; one more failure ends it."""

    waits: tuple[int, ...]


ORDINARY = Pace(
    (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
)

URGENT = Pace(tuple(min(2**n * SECOND, MINUTE) for n in range(24 * 60)))
"""For notices that need action within hours: 1 s to 60 s apart, for a day."""


def after(delivery: Delivery, reply: Reply, pace: Pace, now: int) -> Delivery | None:
    """The delivery after an attempt; None once it is accepted.

    If the target refuses our credentials, or no longer exists, the attempt does not count.
    """
    match reply.reception:
        case Reception.ACCEPTED:
            return None
        case Reception.UNAUTHORIZED | Reception.GONE:
            return replace(delivery, next_at=now, message=reply.message)
        case Reception.REFUSED:
            tried = replace(delivery, attempts=delivery.attempts + 1, refusals=delivery.refusals + 1)
            over = tried.refusals >= MOST_REFUSALS
        case Reception.FAILED:
            tried = replace(delivery, attempts=delivery.attempts + 1)
            over = False
    if over or tried.attempts > len(pace.waits):
        return replace(tried, status=DeliveryStatus.DEAD, next_at=0, message=reply.message)
    wait = max(_jittered(pace.waits[tried.attempts - 1], tried), patience(reply))
    return replace(tried, next_at=now + wait, message=reply.message)


def patience(reply: Reply) -> int:
    """The milliseconds that a target asks to wait, within the limit."""
    return min(max(reply.retry_after or 0, 0), LONGEST_RETRY_AFTER)


def _jittered(wait: int, delivery: Delivery) -> int:
    """Derived from the delivery itself, so that a restart computes the same instant."""
    fraction = zlib.crc32(f"{delivery.id}:{delivery.attempts}".encode("utf-8", "surrogatepass")) / 2**32
    return round(wait * (1 - JITTER + 2 * JITTER * fraction))
