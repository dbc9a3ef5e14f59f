"""The topics by name. config/topics.yaml declares them."""

from __future__ import annotations

from typing import Final

INSTALL_REQUESTS: Final = "compat.install-requests"
RESULTS: Final = "compat.results"
BLOCKS: Final = "compat.blocks"
EXCEPTION_REQUESTS: Final = "compat.exception-requests"
APPROVAL_DECISIONS: Final = "compat.approval-decisions"
EXCEPTION_USES: Final = "compat.exception-uses"
EXCEPTION_DECISIONS: Final = "compat.exception-decisions"
INSTALL_OUTCOMES: Final = "compat.install-outcomes"
MATRIX_FLOORS: Final = "compat.matrix-floors"
MATRIX_REFRESHES: Final = "compat.matrix-refreshes"
SECURITY_POLICIES: Final = "compat.security-policies"
NOTIFICATIONS: Final = "compat.notifications"
LEDGER_ANCHORS: Final = "compat.ledger-anchors"
CLOCK: Final = "compat.clock"
DEAD_LETTERS: Final = "compat.dead-letters"
EXCEPTION_STATE: Final = "compat.exception-state"
STALENESS_STATE: Final = "compat.staleness-state"
RELAY_STATE: Final = "compat.relay-state"
