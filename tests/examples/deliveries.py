"""Deliveries as the relay's tests need them."""

from __future__ import annotations

from typing import Any

from processors.relay.delivery import Delivery


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
