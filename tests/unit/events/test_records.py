"""Every event is written under its schema as its class states it, and is known by the id that the table names."""

from __future__ import annotations

import pytest

from processors.configuration.settings import shipped
from processors.events.anchors import LedgerAnchored
from processors.events.exceptions import (
    NO_SCOPE,
    NOBODY,
    ApprovalDecision,
    CommandKind,
    ExceptionCommand,
    ExceptionDecided,
    ExceptionRequested,
    ProofKind,
    Scope,
    Status,
    command_from_record,
    decision_from_record,
    exception_decided_from_record,
)
from processors.events.install_requests import InstallRequested, MonitoringPlan, RiskAcknowledgement
from processors.events.kinds import (
    ANCHORED,
    APPROVAL_DECIDED,
    BY_SCHEMA,
    EXCEPTION_COMMANDED,
    EXCEPTION_DECIDED,
    INSTALL_REQUESTED,
    NOTIFICATION,
    EventKind,
)
from processors.events.notifications import NotificationRequested, Urgency
from processors.events.vocabulary import Action, Band
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.reader import event_reader
from processors.stream.wire.schema import Schemas
from processors.stream.wire.writer import Event, EventWriter

SCHEMAS = Schemas.load(shipped("schemas"))
CODEC = Codec(SCHEMAS, OfflineRegistry())
DECIDED = ExceptionDecided(
    event_id="v",
    exception_id="e",
    round=1,
    sequence=2,
    at=3,
    event="approved",
    from_state=Status.PENDING,
    to_state=Status.APPROVED,
    scope=Scope("acme", "crm", "1.0.0", "corex", "2.0.0", "production"),
    finding_ids=("0123456789abcdef",),
    band=Band.HIGH,
    approval_id="a",
    valid_until=9,
    uses=1,
    security_event=True,
)
COMMAND = ExceptionCommand(
    command_id="c", exception_id="e", kind=CommandKind.AMENDED, at=1, requester=NOBODY, scope=NO_SCOPE
)
APPROVAL = ApprovalDecision("d", "e", 1, ProofKind.SERVICE_JWS, "a proof")
QUESTION = InstallRequested(
    request_id="r",
    requested_at=1,
    plugin_id="com.acme.crm",
    tenant="acme",
    operator="alice",
    environment="staging",
    target="",
    action=Action.INSTALL,
    exception_id="e",
    acknowledgement=RiskAcknowledgement(by="alice", at=1, statement="I know"),
    monitoring=MonitoringPlan(profile="tight", addons=("alerts",), owner="alice"),
)


def test_a_question_is_written_as_an_envelope() -> None:
    """Its subject is bytes beside it."""
    assert SCHEMAS["InstallRequested"].encode_envelope(QUESTION.record())
    assert (QUESTION.id, QUESTION.key) == (QUESTION.record()[INSTALL_REQUESTED.id], "com.acme.crm")


@pytest.mark.parametrize(
    ("kind", "event", "key"),
    [
        pytest.param(EXCEPTION_COMMANDED, ExceptionRequested(COMMAND), "e", id="a command"),
        pytest.param(APPROVAL_DECIDED, APPROVAL, "e", id="an approval"),
        pytest.param(
            EXCEPTION_DECIDED,
            DECIDED,
            "e",
            id="a decision",
        ),
        pytest.param(
            NOTIFICATION,
            NotificationRequested(
                notification_id="n",
                at=1,
                recipient="alice",
                kind="blocked",
                urgency=Urgency.WARNING,
                subject="blocked",
                body="why",
                link="where",
            ),
            "alice",
            id="a notification",
        ),
        pytest.param(
            ANCHORED,
            LedgerAnchored(
                anchor_id="a",
                at=1,
                topic="t",
                partition=2,
                sequence=3,
                next_offset=3,
                head="h",
                batches=1,
                root="r",
            ),
            "t/2",
            id="an anchor",
        ),
    ],
)
def test_an_event_is_written_and_has_its_id_and_key(kind: EventKind, event: Event, key: str) -> None:
    schema = SCHEMAS[kind.schema]

    assert schema.decode(schema.encode(event.record()))[kind.id] == event.id
    assert event.key == key


def test_a_command_and_an_approval_are_read_as_they_were_written() -> None:
    assert command_from_record(ExceptionRequested(COMMAND).record()) == COMMAND
    assert decision_from_record(APPROVAL.record()) == APPROVAL


def test_a_decision_of_the_workflow_is_read_as_it_was_written() -> None:
    read = event_reader(CODEC, EXCEPTION_DECIDED, exception_decided_from_record)
    written = EventWriter(CODEC, EXCEPTION_DECIDED, "/test")(DECIDED, 1).value

    assert read(written) == DECIDED


@pytest.mark.parametrize(("field", "read"), [("to_state", Status.UNKNOWN), ("band", Band.UNKNOWN)])
def test_a_word_of_a_newer_workflow_is_unknown(field: str, read: str) -> None:
    """Through a gateway it comes as it was written, and no schema has replaced it."""
    decided = exception_decided_from_record({**DECIDED.record(), field: "MOON_IS_FULL"})

    assert getattr(decided, field) is read


@pytest.mark.parametrize("kind", BY_SCHEMA.values(), ids=BY_SCHEMA)
def test_the_table_names_fields_that_the_schema_has(kind: EventKind) -> None:
    names = {field.name for field in SCHEMAS[kind.schema].model.fields}

    assert {kind.id, kind.at} - {""} <= names
