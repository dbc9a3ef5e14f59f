"""Case C-2 on a real broker: a blocked administrator, an exception, a controlled installation."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from examples.case_c1 import MATRIX
from examples.exceptions import ADDONS, ALICE, BOB, PROVIDER, SABINE, SCOPE, claims, policy, sign
from examples.ground import eventually
from examples.guard import Guard, now
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.client.matrix_topic import publish_matrix
from processors.events.exceptions import Person, Scope
from processors.events.topics import (
    APPROVAL_DECISIONS,
    BLOCKS,
    EXCEPTION_REQUESTS,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
)
from processors.matrix.text import parse_matrix

pytestmark = pytest.mark.stack


QUICK = policy().model_copy(update={"clocks": policy().clocks.model_copy(update={"digest": 10_000})})
CORRUPTS = """
matrix:
  - {host: corex, plugin: "com.powerx.plugins.inventory-sync", action: block, notes: "corrupts stock"}
"""


def install(guard: Guard, scope: Scope, request_id: str, **more: Any) -> None:
    record = {
        "request_id": request_id,
        "requested_at": now(),
        "tenant": scope.tenant,
        "operator": ALICE.subject,
        "environment": scope.environment,
        "target": "cluster-7",
        "action": "INSTALL",
        "exception_id": None,
        "acknowledgement": None,
        "monitoring": None,
        "recheck_of": None,
        "subject": guard.events.subject(scope),
    }
    value = guard.codec.encoder(INSTALL_REQUESTS, "InstallRequested")(record | more)
    guard.send(INSTALL_REQUESTS, scope.plugin_id, value)


def answer(guard: Guard, request_id: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [result for result in guard.results() if result["request_id"] == request_id]
        return bool(found)

    eventually(there)
    (result,) = found
    return result


def reaches(guard: Guard, id: str, event: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [decided for decided in guard.decided(id) if decided["event"] == event]
        return bool(found)

    eventually(there)
    return found[-1]


def test_a_blocked_administrator_installs_under_an_approved_and_watched_exception(guard: Guard) -> None:
    """From the block to the lost monitoring, each change of state shown."""
    scope = SCOPE._replace(tenant=f"c2-{uuid.uuid4().hex[:6]}")
    id, first, second, third = scope.exception_id, *(str(uuid.uuid4()) for _ in range(3))
    publish_matrix(guard.of, parse_matrix(MATRIX), now())

    with guard.workflow(), guard.ground.running(Checker(guard.new_codec(), SEALS, trust=guard.trust)):
        install(guard, scope, first)
        blocked = answer(guard, first)
        assert blocked["verdict"] == "BLOCK"

        guard.send(EXCEPTION_REQUESTS, id, guard.events.command(scope, blocked["report"], request_id=first))
        reaches(guard, id, "review_opened")
        bound = {"exception_id": id, "report_digest": blocked["report_digest"]}
        guard.send(APPROVAL_DECISIONS, id, guard.events.proof(sign(claims(BOB, now(), **bound)), scope))
        reaches(guard, id, "step_approved")
        guard.send(APPROVAL_DECISIONS, id, guard.events.proof(sign(claims(SABINE, now(), **bound)), scope))
        approved = reaches(guard, id, "approved")

        install(guard, scope, second, exception_id=id)
        careless = answer(guard, second)
        install(
            guard,
            scope,
            third,
            exception_id=id,
            acknowledgement={"by": ALICE.subject, "at": now(), "statement": "I know"},
            monitoring={"profile": "enhanced", "addons": list(ADDONS), "owner": "warehouse-oncall"},
        )
        passed = answer(guard, third)
        guard.send(INSTALL_OUTCOMES, id, guard.events.outcome(scope, request_id=third))
        reaches(guard, id, "execution_succeeded")
        guard.send(INSTALL_OUTCOMES, id, guard.events.outcome(scope, request_id=third, monitoring="LOST"))
        reaches(guard, id, "monitoring_lost")

    assert (careless["verdict"], careless["refusals"]) == (
        "BLOCK",
        ["RISK_NOT_ACKNOWLEDGED", "MONITORING_PLAN_MISSING"],
    )
    assert (passed["verdict"], passed["approval_id"], passed["monitoring_profile"]) == (
        "ALLOW_BY_EXCEPTION",
        approved["approval_id"],
        "enhanced",
    )
    assert passed["report"]["verdict"] == "BLOCK"
    assert [(d["event"], d["from_state"], d["to_state"]) for d in guard.decided(id)] == [
        ("requested", "UNKNOWN", "CHECKING"),
        ("review_opened", "CHECKING", "PENDING"),
        ("step_approved", "PENDING", "IN_REVIEW"),
        ("approved", "IN_REVIEW", "APPROVED"),
        ("refused", "APPROVED", "APPROVED"),
        ("used", "APPROVED", "CONSUMED"),
        ("execution_succeeded", "CONSUMED", "CONSUMED"),
        ("monitoring_lost", "CONSUMED", "NEEDS_REVIEW"),
    ]
    blocks = guard.codec.decoder(BLOCKS, "InstallBlocked")
    refused = [blocks(r.value) for r in guard.ground.read(BLOCKS) if r.key == second.encode()]
    assert [block["refusals"] for block in refused] == [careless["refusals"]]
    told = {(n["recipient"], n["kind"]) for n in guard.notifications() if n["exception_id"] == id}
    assert told >= {
        ("role:plugin-steward", "approval_needed"),
        ("role:security-approver", "approval_needed"),
        ("alice", "exception_approved"),
        ("owners:powerx-plugins", "exception_used"),
        ("role:security-operations", "monitoring_lost"),
    }


def _told(guard: Guard, since: int) -> dict[str, list[int]]:
    """Whom messages told from then on that exceptions have to be reviewed, and of how many each message spoke."""
    told: dict[str, list[int]] = {}
    for n in guard.notifications():
        if n["kind"] == "needs_review" and n["at"] >= since:
            told.setdefault(n["recipient"], []).append(n["count"])
    return told


def test_a_refresh_of_the_matrix_has_live_exceptions_checked_again(guard: Guard) -> None:
    """Through the checker itself; all that one refresh causes is one message for each recipient.

    Live exceptions that other modules have left on the topics are checked again too. They have the same owners and
    the same security people, but not the same requester.
    """
    requester = Person(PROVIDER, f"requester-{uuid.uuid4().hex[:6]}")
    everybody = (requester.subject, "owners:powerx-plugins", "role:security-operations")
    scopes = [SCOPE._replace(tenant=f"again-{uuid.uuid4().hex[:6]}") for _ in range(12)]
    publish_matrix(guard.of, parse_matrix(MATRIX.replace('"1"', '"2"', 1)), now())
    with guard.workflow(by=QUICK), guard.ground.running(Checker(guard.new_codec(), SEALS, trust=guard.trust)):
        for scope in scopes:
            install(guard, scope, f"r-{scope.tenant}")
        for scope in scopes:
            approve(guard, scope, answer(guard, f"r-{scope.tenant}"), requester)
        eventually(lambda: _count(guard, scopes, "approved") == len(scopes))
        since = now()
        publish_matrix(
            guard.of, parse_matrix(MATRIX.replace('"1"', '"3"', 1).replace("matrix: []", CORRUPTS)), now()
        )
        eventually(lambda: _count(guard, scopes, "needs_review") == len(scopes))
        eventually(lambda: all(sum(_told(guard, since).get(who, [])) >= len(scopes) for who in everybody))

    told = _told(guard, since)[requester.subject]
    assert sum(told) == len(scopes), "each exception once"
    assert len(told) <= 6, "at most one message for each partition"
    assert {guard.states()[scope.exception_id].status for scope in scopes} == {"NEEDS_REVIEW"}


def approve(guard: Guard, scope: Scope, blocked: dict[str, Any], requester: Person) -> None:
    id, request_id = scope.exception_id, blocked["request_id"]
    guard.send(
        EXCEPTION_REQUESTS, id, guard.events.command(scope, blocked["report"], requester, request_id=request_id)
    )
    bound = {"exception_id": id, "report_digest": blocked["report_digest"]}
    for person in (BOB, SABINE):
        guard.send(APPROVAL_DECISIONS, id, guard.events.proof(sign(claims(person, now(), **bound)), scope))


def _count(guard: Guard, scopes: list[Scope], event: str) -> int:
    return sum(d["event"] == event for d in guard.decided(*(scope.exception_id for scope in scopes)))
