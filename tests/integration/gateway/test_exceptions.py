"""Case C-2 over HTTP: blocked, an exception asked for by the person of the token, decided by proof, and used."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from examples.approvals import ADDONS, APPROVER, RISK, decision
from examples.gateways import Replica, ask, bearer, question
from examples.issuers import claims, token

pytestmark = pytest.mark.stack


def post(replica: Replica, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{replica.url}/internal/{path}", json=body, headers=headers, timeout=60)


def test_case_c_2_over_http(platform: Replica) -> None:
    """Asked for by alice, approved in two steps by others, and it lets exactly this request pass."""
    blocked = ask(platform.url, question(target="cluster-7")).json()
    assert blocked["verdict"] == "BLOCK"

    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    asked = post(platform, "version/compat/exception", wanted, bearer() | key)
    assert asked.status_code == 201, asked.text
    opened = asked.json()
    assert opened["report_digest"] == blocked["report_digest"]
    again = post(platform, "version/compat/exception", wanted, bearer() | key)
    assert (again.status_code, again.json()["exception_id"]) == (201, opened["exception_id"])

    waiting = httpx.get(
        platform.url + asked.headers["location"] + "/approvers", headers=bearer(), timeout=60
    ).json()
    assert (waiting["step"], waiting["roles"]) == ("steward", ["plugin-steward"])

    first = decision(opened, "petra", "plugin-steward", "steward")
    assert post(platform, "version/compat/approve", first, APPROVER).status_code == 200
    second = decision(opened, "sabine", "security-approver", "security")
    counted = post(platform, "version/compat/approve", second, APPROVER)
    assert (counted.status_code, counted.json()["to_state"]) == (200, "APPROVED"), counted.text

    use = {"id": opened["exception_id"], "acknowledge_risk": RISK, "monitoring": "enhanced", "addons": ADDONS}
    allowed = ask(platform.url, question(target="cluster-7", exception=use)).json()
    assert (allowed["verdict"], allowed["refusals"]) == ("ALLOW_BY_EXCEPTION", [])

    shown = httpx.get(platform.url + asked.headers["location"], headers=bearer(), timeout=60).json()
    assert shown["requester"] == "alice"
    assert shown["history"][0]["event"] == "requested"


def test_nobody_approves_their_own_request(platform: Replica) -> None:
    blocked = ask(platform.url, question(environment="staging")).json()
    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    opened = post(platform, "version/compat/exception", wanted, bearer()).json()
    own = post(platform, "version/compat/approve", decision(opened, "alice", "plugin-steward", "steward"), APPROVER)
    assert (own.status_code, own.json()["reason_code"]) == (403, "SELF_APPROVAL")
    moved = decision(opened, "sabine", "security-approver", "security")
    early = post(platform, "version/compat/approve", moved, APPROVER)
    assert (early.status_code, early.json()["reason_code"]) == (409, "WRONG_STEP")
    open_already = post(platform, "version/compat/exception", wanted, bearer())
    assert (open_already.status_code, open_already.json()["exception_id"]) == (409, opened["exception_id"])


def test_only_who_asked_withdraws_and_other_tenants_see_nothing(platform: Replica) -> None:
    blocked = ask(platform.url, question(environment="test")).json()
    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    opened = post(platform, "version/compat/exception", wanted, bearer()).json()
    address = f"exceptions/{opened['exception_id']}/commands"
    foreign = bearer(token(claims(tenant="globex")))

    assert post(platform, address, {"kind": "withdraw"}, foreign).status_code == 404
    others = post(platform, address, {"kind": "withdraw"}, bearer(token(claims("bob"))))
    assert (others.status_code, others.json()["reason_code"]) == (409, "NOT_THE_REQUESTER")
    done = post(platform, address, {"kind": "withdraw"}, bearer())
    assert (done.status_code, done.json()["to_state"]) == (200, "WITHDRAWN")
    assert post(platform, "version/compat/exception", wanted, foreign).status_code == 404
