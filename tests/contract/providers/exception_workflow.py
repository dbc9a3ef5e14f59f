"""What the exception workflow promises, told by case C-2 from the request to the lost monitoring."""

from __future__ import annotations

from contract.case import NOON, Case, record
from examples.exception_events import Events
from examples.exceptions import BOB, ID, SABINE, keys, policy

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
from processors.exception_workflow.state.case import Case as Exception_
from processors.exception_workflow.state.case import PendingDigest
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())


def workflow() -> ExceptionWorkflow:
    return ExceptionWorkflow(CODEC, policy(), keys)


def cases() -> list[Case]:
    events = Events(CODEC)
    records = [
        record(APPROVAL_DECISIONS, 0, ID, events.decision(BOB, NOON)),
        record(EXCEPTION_USES, 1, ID, events.use()),
        record(EXCEPTION_REQUESTS, 2, ID, events.command()),
        record(EXCEPTION_REQUESTS, 3, ID, events.command()),
        record(APPROVAL_DECISIONS, 4, ID, events.decision(SABINE, NOON)),
        record(APPROVAL_DECISIONS, 5, ID, events.proof("not a proof")),
        record(EXCEPTION_USES, 6, ID, events.use(monitoring=None)),
        record(EXCEPTION_USES, 7, ID, events.use()),
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
                Exception_(exception_id=ID),
                PendingDigest(3, "role:security", "needs_review", "WARNING", NOON, 12, ("one", "two")),
            ],
        )
    ]
