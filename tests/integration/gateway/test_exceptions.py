"""Case C-2 over HTTP: blocked, an exception asked for by the person of the token, decided by proof, and used."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml
from examples.gateways import Edge, Replica, ask, bearer, question
from examples.ground import eventually
from examples.issuers import ISSUER, claims, token
from joserfc import jws
from joserfc.jwk import ECKey

pytestmark = pytest.mark.stack

RISK = "The warehouse stands still without it, and the host is upgraded on Friday."
ADDONS = ["error-rate", "latency", "host-health", "on-call"]
TOOL = ECKey.generate_key("P-256", {"kid": "tool-1"})
APPROVALS = "https://approvals.platform.example"
APPROVER = bearer(token(claims("approvals", roles=("approver", "reader"))))


def issuers_of_proofs(edge: Edge) -> None:
    """The policy trusts the gateway for commands of the platform's people, and an approval tool for decisions."""
    file = edge.config / "exception_workflow.yaml"
    policy = yaml.safe_load(file.read_text())
    gateway = json.loads((edge.folder / "gateway-keys.json").read_text())
    public = [ECKey.import_key(key).as_dict(private=False) for key in gateway["keys"]]
    (edge.config / "gateway-jwks.json").write_text(json.dumps({"keys": public}))
    (edge.config / "tool-jwks.json").write_text(json.dumps({"keys": [TOOL.as_dict(private=False)]}))
    policy["proof"]["issuers"] = [
        {
            "issuer": "urn:compat-guard:gateway",
            "jwks": "gateway-jwks.json",
            "proves": ["commands"],
            "speaks_for": [ISSUER],
            "kinds": ["SERVICE_JWS"],
            "audience": "compat-guard",
        },
        {
            "issuer": APPROVALS,
            "jwks": "tool-jwks.json",
            "proves": ["decisions"],
            "kinds": ["SERVICE_JWS"],
            "audience": "compat-guard",
        },
    ]
    file.write_text(yaml.safe_dump(policy))


def decision(exception: dict[str, Any], person: str, role: str, step: str, **more: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {
        "iss": APPROVALS,
        "sub": person,
        "aud": "compat-guard",
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
        "amr": ["pwd", "otp"],
        "roles": [role],
        "exception_id": exception["exception_id"],
        "report_digest": exception["report_digest"],
        "step": step,
        "decision": "approve",
        "reason": "looked at it",
        "jti": str(uuid.uuid4()),
        **more,
    }
    header = {"alg": "ES256", "kid": "tool-1", "typ": "compat-approval+jwt"}
    proof = jws.serialize_compact(header, json.dumps(said), TOOL, algorithms=["ES256"])
    return {"exception_id": exception["exception_id"], "proof": proof}


@pytest.fixture(scope="module")
def platform(edge: Edge) -> Iterator[Replica]:
    """A gateway beside a workflow that trusts its signatures."""
    issuers_of_proofs(edge)
    with edge.processor("exception-workflow"), edge.gateways() as (replica,):
        yield replica


def post(replica: Replica, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{replica.url}/internal/{path}", json=body, headers=headers, timeout=60)


def waits_for(replica: Replica, opened: dict[str, Any]) -> dict[str, Any]:
    """The step that waits, once the guard has confirmed the report."""
    address = f"{replica.url}/internal/exceptions/{opened['exception_id']}/approvers"
    found: dict[str, Any] = {}

    def there() -> bool:
        found.update(httpx.get(address, headers=bearer(), timeout=60).json())
        return found["step"] is not None

    eventually(there)
    return found


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
