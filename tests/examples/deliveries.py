"""Deliveries as the relay's tests need them."""

from __future__ import annotations

from typing import Any

from processors.relay.delivery import Delivery
from processors.relay.outgoing import Outgoing, outgoing
from processors.stream.types import Inbound


def delivery(**more: Any) -> Delivery:
    """A delivery that has not been tried yet, with what is said otherwise."""
    given: dict[str, Any] = {
        "target": "platform",
        "id": "e1",
        "type": "plugin.compat.blocked",
        "topic": "compat.blocks",
        "partition": 0,
        "offset": 0,
        "order_key": "r1",
        "at": 0,
        "urgent": False,
        "body": b"{}",
    }
    return Delivery(**(given | more))


def notice(**more: Any) -> Outgoing:
    """A notification on its way, with what is said otherwise."""
    data: dict[str, Any] = {
        "notification_id": "e1",
        "at": 1_795_860_000_000,
        "recipient": "user:petra",
        "kind": "blocked",
        "urgency": "WARNING",
        "subject": "blocked: crm 1.5.0",
        "body": "**What happened:** a block.",
        "link": "",
        "tenant": "acme",
        "request_id": None,
        "exception_id": None,
        "count": 1,
    }
    return outgoing(
        "notifications", Inbound("compat.notifications", 0, 7, 1_795_860_000_500, b"user:petra", b""), data | more
    )
