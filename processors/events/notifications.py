"""A notification for a recipient. Mirrors `NotificationRequested` in schemas/."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from processors.events.fields import fields_of


class Urgency(StrEnum):
    """How soon somebody should look at it."""

    UNKNOWN = "UNKNOWN"
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequested:
    """One message for one recipient. `count` is how many cases it combines."""

    notification_id: str
    at: int
    recipient: str
    kind: str
    urgency: Urgency
    subject: str
    body: str
    link: str
    tenant: str = ""
    request_id: str | None = None
    exception_id: str | None = None
    count: int = 1

    @property
    def id(self) -> str:
        return self.notification_id

    @property
    def key(self) -> str:
        return self.recipient

    def record(self) -> dict[str, Any]:
        return fields_of(self)
