"""The names of every event: its topic, its schema, its CloudEvents type, and the field with its id.

Pure. config/topics.yaml declares the topics, schemas/ the content of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from processors.events import topics


class EventKind(NamedTuple):
    """`schema` is the stem of its file in schemas/.

    `id` and `at` name fields: `id` is empty for an event without an id, and an empty `at` stands for the broker's
    time.
    """

    topic: str
    schema: str
    type: str
    id: str = ""
    at: str = ""


INSTALL_REQUESTED: Final = EventKind(
    topics.INSTALL_REQUESTS, "InstallRequested", "plugin.install.requested", "request_id", "requested_at"
)
CHECKED: Final = EventKind(topics.RESULTS, "CompatibilityChecked", "plugin.compat.checked", "result_id")
BLOCKED: Final = EventKind(topics.BLOCKS, "InstallBlocked", "plugin.compat.blocked", "block_id")
USE_REQUESTED: Final = EventKind(
    topics.EXCEPTION_USES, "ExceptionUseRequested", "plugin.compat.exception_use_requested", "use_id"
)
EXCEPTION_COMMANDED: Final = EventKind(
    topics.EXCEPTION_REQUESTS, "ExceptionRequested", "plugin.compat.exception_command", "command_id", "at"
)
APPROVAL_DECIDED: Final = EventKind(
    topics.APPROVAL_DECISIONS, "ApprovalDecided", "plugin.compat.exception_command", "decision_id", "at"
)
EXCEPTION_DECIDED: Final = EventKind(
    topics.EXCEPTION_DECISIONS, "ExceptionDecided", "plugin.compat.exception_decided", "event_id", "at"
)
INSTALL_FINISHED: Final = EventKind(
    topics.INSTALL_OUTCOMES, "InstallFinished", "plugin.compat.install_finished", "outcome_id", "at"
)
MATRIX_REFRESHED: Final = EventKind(topics.MATRIX_REFRESHES, "MatrixRefreshed", "compat.matrix.refreshed")
MATRIX_WITHDRAWN: Final = MATRIX_REFRESHED._replace(type="compat.matrix.withdrawn")
FLOOR_RAISED: Final = EventKind(topics.MATRIX_FLOORS, "MatrixFloor", "compat.matrix.floor_raised")
POLICY_PUBLISHED: Final = EventKind(topics.SECURITY_POLICIES, "SecurityPolicyPublished", "compat.policy.published")
POLICY_WITHDRAWN: Final = POLICY_PUBLISHED._replace(type="compat.policy.withdrawn")
NOTIFICATION: Final = EventKind(
    topics.NOTIFICATIONS, "NotificationRequested", "plugin.compat.notification", "notification_id", "at"
)
ANCHORED: Final = EventKind(topics.LEDGER_ANCHORS, "LedgerAnchored", "compat.ledger.anchored", "anchor_id", "at")

BY_SCHEMA: Final[Mapping[str, EventKind]] = {
    kind.schema: kind
    for kind in (
        INSTALL_REQUESTED,
        CHECKED,
        BLOCKED,
        USE_REQUESTED,
        EXCEPTION_COMMANDED,
        APPROVAL_DECIDED,
        EXCEPTION_DECIDED,
        INSTALL_FINISHED,
        MATRIX_REFRESHED,
        FLOOR_RAISED,
        POLICY_PUBLISHED,
        NOTIFICATION,
        ANCHORED,
    )
}
"""The processors' own state is not included: nobody else reads it."""
