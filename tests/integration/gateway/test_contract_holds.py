"""What the OpenAPI document says of every operation is what the gateway does, whatever comes in.

`GUARD_FUZZ` is how many requests are made up for each operation; a short run has a few.
"""

from __future__ import annotations

import os

import pytest
import schemathesis
from examples.gateways import Edge, Replica, bearer
from examples.issuers import claims, token
from hypothesis import HealthCheck, Phase, given, settings

from processors.gateway.app import application
from processors.gateway.contract import contract

pytestmark = pytest.mark.stack

EXAMPLES = int(os.environ.get("GUARD_FUZZ", "8"))
ROLES = ("deployer", "approver", "reader", "auditor", "operator")
DOCUMENT = schemathesis.openapi.from_dict(contract(application()))
OPERATIONS = {
    found.definition.raw["operationId"]: found
    for found in (result.ok() for result in DOCUMENT.get_all_operations())
    if found.definition.raw["operationId"] != "events"  # a stream does not end
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.timeout(1200)
def test_an_operation_keeps_its_contract(gateway: Replica, edge: Edge, name: str) -> None:
    """No status that is not documented, no body of another shape, no failure of our own."""
    headers, operation = bearer(token(claims("fuzz-" + name, roles=ROLES))), OPERATIONS[name]

    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy())
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=gateway.url, headers={**headers, "Prefer": "wait=0"}, timeout=30)

    holds()
    assert "a request failed" not in edge.log.read_text()
