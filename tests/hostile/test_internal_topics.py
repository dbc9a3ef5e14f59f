"""What only our processors may say to each other, said by somebody else: it is quarantined, and nothing moves.

The attacker may write every topic and knows every schema. What is missing is the key of the seals.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from examples.exceptions import BOB, DAY, SABINE, SCOPE
from examples.ground import eventually
from examples.guard import Guard, now
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.embedded import Addresses
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
