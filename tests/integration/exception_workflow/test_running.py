"""What only shows while it runs: two instances, many at once, restarts, clients with another partitioner."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from examples.exceptions import BOB, SABINE, SCOPE, policy
from examples.ground import eventually
from examples.guard import Guard, now

from processors.events.exceptions import Scope
from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_REQUESTS, EXCEPTION_USES
from processors.exception_workflow.config import ExceptionPolicy

pytestmark = pytest.mark.stack


def a_scope() -> Scope:
    return SCOPE._replace(tenant=f"run-{uuid.uuid4().hex[:8]}")


def ask(guard: Guard, scope: Scope) -> None:
    guard.send(EXCEPTION_REQUESTS, scope.exception_id, guard.events.command(scope))


def approve(guard: Guard, scope: Scope) -> None:
    for person in (BOB, SABINE):
        guard.send(APPROVAL_DECISIONS, scope.exception_id, guard.events.decision(person, now(), scope))


def events(guard: Guard, scope: Scope) -> Counter[str]:
    return Counter(decided["event"] for decided in guard.decided(scope.exception_id))


def hasty(**clocks: int) -> ExceptionPolicy:
    """The policy with steps of four seconds; `clocks` in milliseconds."""
    plain = policy()
    flows = {name: tuple(s.model_copy(update={"sla": 4000}) for s in steps) for name, steps in plain.flows.items()}
    return plain.model_copy(update={"flows": flows, "clocks": plain.clocks.model_copy(update=clocks)})


def test_of_a_thousand_uses_at_once_one_passes(guard: Guard) -> None:
    """A single use is one, whoever asks first, over two instances and from many clients."""
    scope = a_scope()
    with guard.answering(), guard.workflow(0), guard.workflow(1):
        ask(guard, scope)
        approve(guard, scope)
        eventually(lambda: events(guard, scope)["approved"])
        requests = [f"{scope.tenant}-{n}" for n in range(1000)]
        values = [guard.events.use(scope, request_id=request, use_id=request) for request in requests]
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(lambda value: guard.send(EXCEPTION_USES, scope.exception_id, value), values))
        wanted = set(requests)
        eventually(lambda: sum(r["request_id"] in wanted for r in guard.results()) >= 1000, 60)

    verdicts = Counter(r["verdict"] for r in guard.results() if r["request_id"] in wanted)
    assert verdicts == {"ALLOW_BY_EXCEPTION": 1, "BLOCK": 999}
    assert events(guard, scope)["used"] == 1


def test_a_command_on_the_wrong_partition_finds_its_exception(guard: Guard) -> None:
    """Clients with librdkafka's own partitioner put keys elsewhere; nothing is lost or decided twice."""
    scope = a_scope()
    id = scope.exception_id
    wrong = (guard.partition(id) + 1) % 6
    with guard.answering(), guard.workflow():
        guard.send(EXCEPTION_REQUESTS, id, guard.events.command(scope), partition=wrong)
        eventually(lambda: events(guard, scope)["requested"])
        guard.send(APPROVAL_DECISIONS, id, guard.events.decision(BOB, now(), scope), partition=wrong)
        guard.send(APPROVAL_DECISIONS, "another key", guard.events.decision(SABINE, now(), scope))
        eventually(lambda: events(guard, scope)["step_approved"])
        eventually(lambda: events(guard, scope)["approved"] + events(guard, scope)["refused"])

    assert events(guard, scope)["requested"] == 1
    assert {d["to_state"] for d in guard.decided(id)} >= {"PENDING", "IN_REVIEW"}


def test_a_decision_may_come_before_its_request(guard: Guard) -> None:
    """Topics have no order between them: it waits, and is judged when the request is there."""
    scope = a_scope()
    with guard.answering(), guard.workflow():
        approve(guard, scope)
        eventually(lambda: events(guard, scope)["parked"] == 2)
        ask(guard, scope)
        eventually(lambda: events(guard, scope)["approved"])

    assert [d["event"] for d in guard.decided(scope.exception_id)] == [
        "parked",
        "parked",
        "requested",
        "review_opened",
        "step_approved",
        "approved",
    ]


def test_a_decision_without_a_request_becomes_an_orphan(guard: Guard) -> None:
    """It does not wait for ever, and it leaves nothing behind."""
    scope = a_scope()
    with guard.workflow(by=hasty(parking=2000)):
        approve(guard, scope)
        eventually(lambda: events(guard, scope)["orphaned"] == 2)

    reasons = {d["reason_code"] for d in guard.decided(scope.exception_id) if d["event"] == "orphaned"}
    assert reasons == {"ORPHAN_DECISION"}
    assert scope.exception_id not in guard.states()


def test_clocks_survive_restarts_and_ring_once(guard: Guard) -> None:
    """Steps of four seconds, and a restart every three: each reminder, escalation, lapse and message once."""
    scopes = [a_scope() for _ in range(20)]
    quick = hasty(total=5_000, request_life=10_000)
    for number in range(4):
        with guard.answering(), guard.workflow(number % 2, quick):
            if number == 0:
                for scope in scopes:
                    ask(guard, scope)
            time.sleep(3)
            if number == 3:
                eventually(lambda: all(events(guard, scope)["lapsed"] for scope in scopes))
                time.sleep(1)  # in which something said twice would show
    for scope in scopes:
        assert [d["event"] for d in guard.decided(scope.exception_id)] == [
            "requested",
            "review_opened",
            "reminded",
            "reminded",
            "escalated",
            "overdue",
            "lapsed",
        ]
    ids = {scope.exception_id for scope in scopes}
    told = Counter(
        (n["exception_id"], n["kind"], n["recipient"]) for n in guard.notifications() if n["exception_id"] in ids
    )
    steward = "role:plugin-steward"
    for id in ids:
        assert told[id, "approval_reminder", steward] == 2
        assert told[id, "approval_escalated", "role:platform-lead"] == 1
        assert told[id, "exception_lapsed", "alice"] == 1
