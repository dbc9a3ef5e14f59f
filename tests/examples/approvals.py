"""Who may decide on exceptions in tests of the gateway: an approval tool, and this machine's reference tool."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import yaml
from examples.gateways import Edge, bearer
from examples.issuers import ISSUER, claims, token
from joserfc import jws
from joserfc.jwk import ECKey

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
        {
            "issuer": "urn:compat-guard:development",
            "jwks": "development-jwks.json",
            "development": True,
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
