"""What the OpenAPI document says of every operation is what the gateway does, whatever comes in.

`GUARD_FUZZ` is how many requests are made up for each operation; a short run has a few.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from examples.gateways import Edge, Replica, bearer
from examples.issuers import claims, token
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from processors.gateway.app import application
from processors.gateway.contract import contract

pytestmark = pytest.mark.stack

EXAMPLES = int(os.environ.get("GUARD_FUZZ", "5"))
ROLES = ("deployer", "approver", "reader", "auditor", "operator")
DOCUMENT = schemathesis.openapi.from_dict(contract(application()))
OPERATIONS = {
    found.definition.raw["operationId"]: found
    for found in (result.ok() for result in DOCUMENT.get_all_operations())
    if found.definition.raw["operationId"] != "events"  # a stream does not end
}


@pytest.fixture(scope="module")
def gateway(audited: Edge) -> Iterator[Replica]:
    with audited.gateways() as (replica,):
        yield replica


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.timeout(1200)
def test_an_operation_keeps_its_contract(gateway: Replica, edge: Edge, name: str) -> None:
    """No status that is not documented, no body of another shape, no failure of our own, nothing for nobody.

    One check is left out: a schema cannot say which texts are a manifest, a host or a proof, so what fits it may
    still be refused.
    """
    operation = OPERATIONS[name]

    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy())
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(
            base_url=gateway.url,
            headers={**bearer(token(claims("fuzz-" + name, roles=ROLES))), "Prefer": "wait=0"},
            timeout=30,
            excluded_checks=[positive_data_acceptance],
        )

    holds()
    assert "a request failed" not in edge.log.read_text()
