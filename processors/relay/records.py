"""Converts the records of compat.relay-state to and from their typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.errors import EventUnreadable
from processors.relay.delivery import Delivery, DeliveryStatus
from processors.relay.target_status import Mode, TargetStatus

COMMAND = "command:"
"""The prefix of the keys of commands. No name of a target contains a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCommand:
    """An operator's command: to retry a delivery that was given up, or, without an id, to resume the target."""

    target: str
    topic: str
    id: str
    at: int
    operator: str = ""

    @property
    def key(self) -> str:
        return f"{COMMAND}{self.target}/{self.topic}/{self.id}"


StateValue = Delivery | TargetStatus | DeliveryCommand


def standing_key(target: str) -> str:
    return f"{target}/standing"


def to_record(target: str, value: StateValue) -> dict[str, Any]:
    """The inverse of `from_record`, except for what a status does not store."""
    return {
        "target": target,
        "delivery": _delivery_record(value) if isinstance(value, Delivery) else None,
        "standing": _standing_record(value) if isinstance(value, TargetStatus) else None,
        "command": _command_record(value) if isinstance(value, DeliveryCommand) else None,
    }


def from_record(record: Mapping[str, Any]) -> StateValue:
    """Raises EventUnreadable for an empty record, or one that a newer relay wrote."""
    try:
        if (delivery := record["delivery"]) is not None:
            rest: dict[str, Any] = {**delivery, "status": DeliveryStatus(delivery["status"])}
            return Delivery(target=record["target"], **rest)
        if (standing := record["standing"]) is not None:
            kept: dict[str, Any] = {**standing, "mode": Mode(standing["mode"])}
            return TargetStatus(**kept)
        if (command := record["command"]) is not None:
            return DeliveryCommand(**{**command, "target": record["target"]})
    except ValueError as error:
        raise EventUnreadable("body", f"a state of the relay that is not known here: {error}") from None
    raise EventUnreadable("body", "a state of the relay holds neither delivery, standing nor command")


def _delivery_record(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "order_key": delivery.order_key,
        "at": delivery.at,
        "urgent": delivery.urgent,
        "body": delivery.body,
        "attempts": delivery.attempts,
        "refusals": delivery.refusals,
        "next_at": delivery.next_at,
        "status": delivery.status.value,
        "message": delivery.message,
    }


def _standing_record(standing: TargetStatus) -> dict[str, Any]:
    return {
        "mode": standing.mode.value,
        "known_since": standing.known_since,
        "changed_at": standing.changed_at,
        "not_before": standing.not_before,
        "pause": standing.pause,
        "endpoint": standing.endpoint,
        "message": standing.message,
    }


def _command_record(command: DeliveryCommand) -> dict[str, Any]:
    return {"topic": command.topic, "id": command.id, "at": command.at, "operator": command.operator}
