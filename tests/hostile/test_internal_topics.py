"""What only our processors may say to each other, said by somebody else: it is quarantined, and nothing moves.

The attacker may write every topic and knows every schema. What is missing is the key of the seals.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from examples.compacted import forget_below
from examples.exceptions import BOB, DAY, SABINE, SCOPE
from examples.ground import eventually
from examples.guard import Guard, now
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.client import over_kafka
from processors.client.exceptions import all_cases, case_of
from processors.client.over_kafka import KafkaTransport
from processors.client.transport import Author, NoSuchException, StateTooNew
from processors.embedded import Addresses
from processors.errors import SettingsInvalid
from processors.events.exceptions import Scope, Status
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_STATE,
    EXCEPTION_USES,
    INSTALL_REQUESTS,
)
from processors.exception_workflow.state.case import ExceptionCase
from processors.stream.loop.dead_letters import Letter, read_letter
from processors.stream.types import Inbound

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def guard(guarded: Addresses) -> Iterator[Guard]:
    guard = Guard(guarded)
    yield guard
    guard.close()


@pytest.fixture
def scope() -> Scope:
    """An exception of the test's own."""
    return SCOPE._replace(tenant=uuid.uuid4().hex[:8])


def test_a_forged_use_installs_nothing_that_nobody_requested(guard: Guard, scope: Scope) -> None:
    """The exception is approved, and the use says what the checker would say."""
    with guard.workflow():
        approve(guard, scope)
        guard.ground.write(EXCEPTION_USES, [(scope.exception_id.encode(), guard.events.use(scope))])
        refused(guard, EXCEPTION_USES, scope.exception_id)

    assert status(guard, scope) is Status.APPROVED
    of_others = [r for r in guard.results() if r["operator"] != "exception-workflow"]  # its own is the confirmation
    assert not [r for r in of_others if r["exception_id"] == scope.exception_id]


def test_a_forged_recheck_voids_no_exception(guard: Guard, scope: Scope) -> None:
    """A deployer asks the checker to judge the exception anew, as the workflow does after a refresh: the answer
    would void it, because there is no matrix."""
    forged = a_recheck(guard, scope)
    asked = guard.codec.encoder(INSTALL_REQUESTS, "InstallRequested")(forged)
    read = guard.codec.decoder(EXCEPTION_USES, "ExceptionUseRequested")
    with guard.workflow():
        approve(guard, scope)
    with guard.ground.running(Checker(guard.new_codec(), SEALS, trust=guard.trust)):
        guard.ground.write(INSTALL_REQUESTS, [(scope.plugin_id.encode(), asked)])
        refused(guard, INSTALL_REQUESTS, scope.plugin_id)

    handed_on = {read(record.value)["request_id"] for record in guard.ground.read(EXCEPTION_USES)}
    assert forged["request_id"] not in handed_on
    assert status(guard, scope) is Status.APPROVED


def test_a_forged_report_of_a_recheck_voids_no_exception(guard: Guard, scope: Scope) -> None:
    """The same, said to the workflow directly."""
    forged = guard.events.use(scope, recheck_of="request-1", use_id="forged")
    with guard.workflow():
        approve(guard, scope)
        guard.ground.write(EXCEPTION_USES, [(scope.exception_id.encode(), forged)])
        refused(guard, EXCEPTION_USES, scope.exception_id)

    assert status(guard, scope) is Status.APPROVED


def test_a_forged_approval_in_the_changelog_takes_no_effect_at_the_next_restart(guard: Guard, scope: Scope) -> None:
    with guard.workflow() as workflow:
        ask(guard, scope)
    pending = guard.states()[scope.exception_id]
    forged = pending._replace(status=Status.APPROVED, approved_at=now(), valid_until=now() + DAY)
    overwrite(guard, scope, workflow.state.encode(forged))

    with guard.workflow():
        refused(guard, EXCEPTION_STATE, scope.exception_id)
        guard.send(EXCEPTION_USES, scope.exception_id, guard.events.use(scope))
        eventually(lambda: [d for d in guard.decided(scope.exception_id) if d["event"] == "refused"])

    assert guard.states()[scope.exception_id].status is Status.PENDING


def test_a_state_of_the_past_in_the_changelog_takes_no_effect_at_the_next_restart(
    guard: Guard, scope: Scope
) -> None:
    """It was written and sealed by the workflow itself, before the exception was used up."""
    with guard.workflow():
        approve(guard, scope)
        approved = last_state(guard, scope)
        guard.send(EXCEPTION_USES, scope.exception_id, guard.events.use(scope))
        eventually(lambda: status(guard, scope) is not Status.APPROVED)
    used = status(guard, scope)
    overwrite(guard, scope, approved.value, headers=list(approved.headers))

    with guard.workflow():
        refused(guard, EXCEPTION_STATE, scope.exception_id)

    assert status(guard, scope) is used


def test_a_forged_state_is_shown_to_nobody(guard: Guard, scope: Scope) -> None:
    """Approvers would sign what it says; neither their signature nor the report binds words, end and number of
    uses."""
    with guard.workflow() as workflow:
        ask(guard, scope)
    pending = last_state(guard, scope)
    milder = guard.states()[scope.exception_id]._replace(risk_statement="a harmless test", single_use=False)
    other = scope._replace(tenant=f"{scope.tenant}-2")
    invented = milder._replace(exception_id=other.exception_id, scope=other)
    overwrite(guard, scope, workflow.state.encode(milder))
    overwrite(guard, scope, workflow.state.encode(milder), headers=list(pending.headers))
    overwrite(guard, scope, None)
    overwrite(guard, other, workflow.state.encode(invented))

    shown = {case.exception_id: case for case in all_cases(guard.of, guard.codec)}
    case = case_of(guard.of, guard.codec, scope.exception_id)
    assert shown[scope.exception_id] == case
    assert (case.risk_statement, case.single_use) != ("a harmless test", False)
    assert case.status is Status.PENDING
    assert other.exception_id not in shown
    with pytest.raises(NoSuchException):
        case_of(guard.of, guard.codec, other.exception_id)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_state_that_is_no_state_hides_no_other(guard: Guard, scope: Scope, *, sealed: bool) -> None:
    """Of a forger, or of a workflow that is newer than its reader."""
    with guard.workflow():
        ask(guard, scope)
    encode = guard.codec.encoder(EXCEPTION_STATE, "ExceptionState")
    others = [scope._replace(tenant=f"{scope.tenant}-{number}") for number in range(6)]
    for junk in (None, b"", b"\xde\xad\xbe\xef"):
        overwrite(guard, scope, junk)
    documents = ("[]", '{"scope":5}', "[" * 50_000, '{"exception_id":"x","changed_at":"y","round":1}', "null", "{")
    for other, document in zip(others, documents, strict=True):
        id = other.exception_id
        value = encode({"exception_id": id, "schema": 1, "document": document, "subject": b""})
        seal = SEALS.seal(EXCEPTION_STATE, id.encode(), value, partition=guard.partition(id), number=2**40)
        overwrite(guard, other, value, headers=[seal] if sealed else [])

    try:
        for unverified in (False, True):
            shown = {case.exception_id for case in all_cases(guard.of, guard.codec, unverified=unverified)}
            assert scope.exception_id in shown, "not even without keys"
            assert not shown & {other.exception_id for other in others}
        with pytest.raises(StateTooNew if sealed else NoSuchException):
            case_of(guard.of, guard.codec, others[0].exception_id)
    finally:  # no workflow starts with a state that is sealed and cannot be read
        ends = {record.partition: record.offset + 1 for record in guard.ground.read(EXCEPTION_STATE)}
        forget_below(guard.ground, EXCEPTION_STATE, ends)


def test_who_has_no_keys_is_told_that_nothing_is_verified(
    guard: Guard, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guard.workflow() as workflow:
        ask(guard, scope)
    milder = guard.states()[scope.exception_id]._replace(risk_statement="a harmless test")
    overwrite(guard, scope, workflow.state.encode(milder))
    transport = KafkaTransport(guard.of, guard.codec, Author(None, None, None))
    assert "verified" not in transport.exception(scope.exception_id).facts

    monkeypatch.setattr(over_kafka, "has_seal_keys", lambda _: False)
    facts = transport.exception(scope.exception_id).facts
    assert (facts["risk"], facts["verified"]) == ("a harmless test", False)
    assert all(facts["verified"] is False for facts in transport.exceptions(everything=True))
    with pytest.raises(SettingsInvalid, match="--gateway URL"):
        transport.decide(scope.exception_id, "proof", 1.0)


def test_four_junk_bytes_in_the_changelog_stop_no_workflow(guard: Guard, scope: Scope) -> None:
    """Under the key of an exception, and under one that is no text. It is quarantined once, not at each restart."""
    with guard.workflow():
        ask(guard, scope)
    overwrite(guard, scope, b"\xde\xad\xbe\xef")
    guard.ground.write(EXCEPTION_STATE, [(b"\xff\xfe" + scope.tenant.encode(), b"\xde\xad\xbe\xef")])

    for _ in range(2):
        with guard.workflow():
            refused(guard, EXCEPTION_STATE, scope.exception_id)
    with guard.workflow():
        for person in (BOB, SABINE):
            guard.send(APPROVAL_DECISIONS, scope.exception_id, guard.events.decision(person, now(), scope))
        eventually(lambda: status(guard, scope) is Status.APPROVED)

    quarantined = [letter.record.key for letter in letters(guard) if letter.topic == EXCEPTION_STATE]
    assert quarantined.count(scope.exception_id.encode()) == 1
    assert quarantined.count(b"\xff\xfe" + scope.tenant.encode()) == 1


def ask(guard: Guard, scope: Scope) -> None:
    """Until the review is open: the guard has given the report again."""
    with guard.answering():
        guard.send(EXCEPTION_REQUESTS, scope.exception_id, guard.events.command(scope))
        eventually(lambda: scope.exception_id in guard.states() and status(guard, scope) is Status.PENDING)


def approve(guard: Guard, scope: Scope) -> None:
    ask(guard, scope)
    for person in (BOB, SABINE):
        guard.send(APPROVAL_DECISIONS, scope.exception_id, guard.events.decision(person, now(), scope))
    eventually(lambda: status(guard, scope) is Status.APPROVED)


def status(guard: Guard, scope: Scope) -> Status:
    return held(guard, scope).status


def held(guard: Guard, scope: Scope) -> ExceptionCase:
    return guard.states()[scope.exception_id]


def last_state(guard: Guard, scope: Scope) -> Inbound:
    records = guard.ground.read(EXCEPTION_STATE)
    return [record for record in records if record.key == scope.exception_id.encode()][-1]


def overwrite(guard: Guard, scope: Scope, value: bytes | None, **more: object) -> None:
    guard.ground.write(EXCEPTION_STATE, [(scope.exception_id.encode(), value)], **more)


def letters(guard: Guard) -> list[Letter]:
    return [letter for record in guard.dead_letters() if (letter := read_letter(record))]


def refused(guard: Guard, topic: str, key: str) -> None:
    """Wait until a record of that key lies among the dead letters, because it was not sealed by us."""
    wanted = (topic, key.encode(), "seal_refused")
    eventually(lambda: wanted in {(letter.topic, letter.record.key, letter.reason) for letter in letters(guard)})


def a_recheck(guard: Guard, scope: Scope) -> dict[str, object]:
    return {
        "request_id": "request-9",
        "requested_at": now(),
        "tenant": scope.tenant,
        "operator": "mallory",
        "environment": scope.environment,
        "target": "cluster-7",
        "action": "INSTALL",
        "exception_id": scope.exception_id,
        "acknowledgement": None,
        "monitoring": None,
        "recheck_of": "request-1",
        "subject": guard.events.subject(scope),
    }
