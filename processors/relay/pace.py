"""When a delivery is tried again, and when it is given up. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from processors.relay.delivery import Delivery, DeliveryStatus, Reception, Reply

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000

JITTER = 0.2
"""A wait is up to this part shorter or longer, so that what failed together does not come back together."""

MOST_REFUSALS = 3
"""Tries after which a message that the target refuses is given up."""

LONGEST_RETRY_AFTER = 10 * MINUTE
"""A target that asks for more patience is not believed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`waits` are the milliseconds before the second try, the third, and so on; one more failure ends it."""

    waits: tuple[int, ...]


ORDINARY = Pace(
    (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
)

URGENT = Pace(tuple(min(2**n * SECOND, MINUTE) for n in range(24 * 60)))
"""For notices that somebody has to act on within hours: 1 s to 60 s apart, for a day."""


def after(delivery: Delivery, reply: Reply, pace: Pace, now: int) -> Delivery | None:
    """The delivery after a try; None once it is accepted.

    A target that does not know us, or is gone, costs the delivery none of its tries.
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
    """The milliseconds that a target asks for, as far as it is believed."""
    return min(max(reply.retry_after or 0, 0), LONGEST_RETRY_AFTER)


def _jittered(wait: int, delivery: Delivery) -> int:
    """Drawn from the delivery itself, so that a restart comes to the same instant."""
    dice = zlib.crc32(f"{delivery.id}:{delivery.attempts}".encode("utf-8", "surrogatepass")) / 2**32
    return round(wait * (1 - JITTER + 2 * JITTER * dice))
