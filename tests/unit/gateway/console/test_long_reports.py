"""A report of everything that can be wrong is as easy to act on as a short one."""

from __future__ import annotations

import re
from typing import Any

from examples.exceptions import ALICE, SCOPE, policy

from processors.configuration.gateway import Role
from processors.events.report import Change, Demand, Finding, Remediation, Report, Risk
from processors.events.report_record import report_to_record
from processors.events.results import Result
from processors.events.vocabulary import Band, Code, Dimension, Effect, RemedyKind, Severity, Verdict
from processors.gateway.auth.principal import Principal
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.reports import report_page
from processors.gateway.console.visitors import Visitor
from processors.gateway.console.waiting import Found

WHO = Principal(
    issuer=ALICE.issuer, subject=ALICE.subject, roles=frozenset({Role.REQUESTER}), tenants=frozenset({SCOPE.tenant})
)
MEETS = Visitor(WHO, None)


def finding(number: int, dimension: Dimension, code: Code) -> Finding:
    return Finding(
        code=code,
        dimension=dimension,
        effect=Effect.BLOCK,
        severity=Severity.MAJOR,
        subject=SCOPE.plugin_id,
        object=f"com.acme.needed-{number}",
        required=Demand(constraint=">=2.0.0"),
    )


def a_block(findings: int, *plans: Remediation, code: Code = Code.DEPENDENCY_MISSING) -> Result:
    dimensions = [Dimension.DEPENDENCY, Dimension.CONFLICT, Dimension.RUNTIME, Dimension.MIGRATION]
    report = Report(
        engine="1", input_digest="", basis_digest="", plugin_id=SCOPE.plugin_id,
        plugin_version=SCOPE.plugin_version, host=SCOPE.host, host_version=SCOPE.host_version, dialect="npm",
        verdict=Verdict.BLOCK, summary="", risk=Risk(75, Band.HIGH), remediations=plans,
        findings=tuple(finding(n, dimensions[n % 4], code) for n in range(findings)),
    )  # fmt: skip
    record: dict[str, Any] = {
        **{name: getattr(SCOPE, name) for name in SCOPE._fields},
        **{"request_id": "r-1", "operator": "alice", "target": "warehouse-1", "exception_id": None},
        **{"refusals": [], "monitoring_profile": None, "verdict": "BLOCK", "report_digest": "sha256:x"},
        "report": report_to_record(report),
    }
    return Result(record)


def shown(result: Result) -> str:
    page = report_page(result, Found(None), MEETS, policy(), switched_on=True)
    frame = Frame(name="Alice", roles=frozenset({Role.REQUESTER}), at="/requests/r-1")
    return bytes(rendered(page, frame, None).body).decode()


PLAN = Remediation(
    change=Change(kind=RemedyKind.INSTALL_VERSION, target=SCOPE.plugin_id, to="1.4.2"),
    verified=True,
    cost=1,
    sentence="install 1.4.2",
)


def test_much_that_was_found_is_folded_below_the_ways_out_and_the_exception() -> None:
    page = shown(a_block(40, PLAN))
    seen = re.sub(r'<details class="why"[^>]*>.*</details>', "", page, flags=re.DOTALL)

    assert '<details class="why" id="why"><summary>Why: 40 findings block</summary>' in page
    assert page.index("Take the way out below") < page.index("What helps") < page.index("Ask for an exception")
    assert page.index("Ask for an exception") < page.index('id="why"')
    assert "com.acme.needed-" not in seen


def test_little_that_was_found_is_shown() -> None:
    assert '<details class="why" id="why" open><summary>Why: 1 finding blocks</summary>' in shown(a_block(1))


def test_a_block_that_nobody_asked_about_says_so() -> None:
    assert "Nobody was asked for an exception." in shown(a_block(1))
    assert "Nobody was asked" not in shown(a_block(1, code=Code.MANIFEST_INVALID)), "and nobody can be"
