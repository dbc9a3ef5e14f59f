"""What the exception workflow promises, told by case C-2 from the request to the lost monitoring."""

from __future__ import annotations

from contract.case import NOON, Case, record
from examples.exception_events import Events
from examples.exceptions import BOB, ID, SABINE, keys, policy
from examples.sealing import SEALS, as_ours

from processors.configuration.settings import shipped
from processors.events.topics import (
    APPROVAL_DECISIONS,
    BLOCKS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
    RESULTS,
)
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rules.revisions import Refreshed
from processors.exception_workflow.state.case import ExceptionCase, PendingDigest
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())


def workflow() -> ExceptionWorkflow:
    return ExceptionWorkflow(CODEC, policy(), keys, SEALS)


def used(offset: int, value: bytes) -> Inbound:
    """As the checker sends it."""
    return record(EXCEPTION_USES, offset, ID, value, headers=as_ours(EXCEPTION_USES, ID, value))


def cases() -> list[Case]:
    events = Events(CODEC, lambda: NOON)
    records = [
        record(APPROVAL_DECISIONS, 0, ID, events.decision(BOB, NOON)),
        used(1, events.use()),
        record(EXCEPTION_REQUESTS, 2, ID, events.command()),
        record(EXCEPTION_REQUESTS, 3, ID, events.command()),
        record(APPROVAL_DECISIONS, 4, ID, events.decision(SABINE, NOON)),
        record(APPROVAL_DECISIONS, 5, ID, events.proof("not a proof")),
        used(6, events.use(monitoring=None)),
        used(7, events.use()),
        record(INSTALL_OUTCOMES, 8, ID, events.outcome()),
        record(INSTALL_OUTCOMES, 9, ID, events.outcome(monitoring="LOST")),
        record(EXCEPTION_REQUESTS, 10, ID, events.command(kind="EXTENSION_REQUESTED", command_id="command-2")),
    ]
    outputs = {EXCEPTION_DECISIONS, RESULTS, BLOCKS, INSTALL_REQUESTS, NOTIFICATIONS}
    return [
        Case(
            name="exception-workflow",
            processor=workflow,
            records=records,
            topics=frozenset(outputs),
            tables={MATRIX_REFRESHES: Refreshed("mark", 0)},
            state_values=[
                ExceptionCase(exception_id=ID),
                PendingDigest(3, "role:security", "needs_review", "WARNING", NOON, 12, ("one", "two")),
            ],
        )
    ]
