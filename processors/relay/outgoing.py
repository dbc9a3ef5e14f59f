"""The events that the relay delivers, from five topics, as one typed value each. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from processors.events.ids import minted
from processors.events.kinds import (
    BLOCKED,
    CHECKED,
    EXCEPTION_DECIDED,
    INSTALL_FINISHED,
    NOTIFICATION,
    EventKind,
)
from processors.stream.types import Inbound
from processors.stream.wire.headers import header

SOURCE: Final = "/compat-guard"

URGENT_KINDS: Final = frozenset(
    {"approval_needed", "approval_reminder", "approval_escalated", "exception_overdue", "monitoring_lost"}
)
"""Notifications that ask somebody to act before a deadline of hours."""


KINDS: Final[Mapping[str, EventKind]] = {
    "notifications": NOTIFICATION,
    "results": CHECKED,
    "blocks": BLOCKED,
    "decisions": EXCEPTION_DECIDED,
    "outcomes": INSTALL_FINISHED,
}
"""By the names that config/relay.yaml uses."""

_plain_id = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to deliver. `data` is the whole record, as in its schema."""

    kind: str
    id: str
    type: str
    source: str
    at: int
    """When it happened, in milliseconds since the epoch, UTC."""
    data: Mapping[str, Any]
    origin: Inbound

    @property
    def order_key(self) -> str:
        return (self.origin.key or b"").decode(errors="replace")

    @property
    def urgent(self) -> bool:
        return self.kind == "notifications" and self.data["kind"] in URGENT_KINDS


def outgoing(kind: str, record: Inbound, data: Mapping[str, Any]) -> Outgoing:
    """The event of a record.

    An id that no header could carry is replaced by one derived from it, always the same.
    """
    described = KINDS[kind]
    id = data[described.id]
    if not _plain_id(id):
        id = minted("relayed", record.topic, id)
    at = data[described.at] if described.at else record.timestamp
    source = header(record.headers, "ce_source") or SOURCE
    return Outgoing(kind, id, described.type, source[:200], at, data, record)
