"""A report outlives what it was about: an exception that ended, came under review, or covers less by now."""

from __future__ import annotations

from typing import Any

import pytest
from examples.exceptions import ALICE, DAY, HOUR, NEVER_ASKED, SCOPE, policy

from processors.configuration.gateway import Role
from processors.events.exceptions import Scope, Status
from processors.events.install_requests import KeptRequest
from processors.events.report import Demand, Finding, Report, Risk
from processors.events.report_record import report_to_record
from processors.events.results import Result
from processors.events.vocabulary import Band, Code, Dimension, Effect, Severity, Verdict
from processors.exception_workflow.rules.scope import basis_of
from processors.exception_workflow.state.case import ExceptionCase, Execution
from processors.gateway.auth.principal import Principal
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.reports import report_page
from processors.gateway.console.visitors import Visitor, now_ms
from processors.gateway.console.waiting import Found

ROLES = frozenset({Role.REQUESTER, Role.READER})
READS = Visitor(
    Principal(issuer=ALICE.issuer, subject=ALICE.subject, roles=ROLES, tenants=frozenset({SCOPE.tenant})), None
)
NOW = now_ms()
AT = NOW - HOUR
WORDS = "The warehouse may stand still."


def found(code: Code) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.HOST,
        effect=Effect.BLOCK,
        severity=Severity.MAJOR,
        subject=SCOPE.plugin_id,
        object="corex",
        required=Demand(constraint=">=2.0.0"),
    )


def result(
    verdict: Verdict = Verdict.BLOCK, *codes: Code, band: Band = Band.HIGH, scope: Scope = SCOPE, **more: Any
) -> Result:
    report = Report(
        engine="1", input_digest="", basis_digest="", plugin_id=SCOPE.plugin_id,
        plugin_version=SCOPE.plugin_version, host=SCOPE.host, host_version=SCOPE.host_version, dialect="npm",
        verdict=Verdict.BLOCK, summary="", risk=Risk(75, band),
        findings=tuple(found(code) for code in codes or (Code.HOST_TOO_OLD,)),
    )  # fmt: skip
    return Result(
        {
            **{name: getattr(scope, name) for name in Scope._fields},
            **{"request_id": "r-1", "operator": "alice", "target": "warehouse-1", "exception_id": None},
            **{"refusals": [], "monitoring_profile": None, "verdict": verdict, "report_digest": "sha256:x"},
            **{"report": report_to_record(report), "decided_at": AT, **more},
        }
    )


APPROVED_IDS = tuple(one.id for one in basis_of(result().record["report"], "").blocking)
APPROVED = NEVER_ASKED._replace(
    round=1, status=Status.APPROVED, scope=SCOPE, requester=ALICE, band=Band.HIGH, finding_ids=APPROVED_IDS,
    profile="enhanced", opened_at=AT - HOUR, valid_until=NOW + DAY, risk_statement=WORDS,
)  # fmt: skip
RUN = Execution("r-1", "q", "alice", "warehouse-1", AT, round=1)
USED = APPROVED._replace(status=Status.CONSUMED, uses=1, executions=(RUN,))
ALLOWED = result(Verdict.ALLOW_BY_EXCEPTION, exception_id=SCOPE.exception_id, monitoring_profile="enhanced")
ACKNOWLEDGED = KeptRequest({"acknowledgement": {"by": "alice", "at": AT, "statement": "ok"}, "monitoring": None})


def shown(result: Result, case: ExceptionCase | None, *, unread: bool = False) -> str:
    under = ACKNOWLEDGED if result.exception_id else None
    page = report_page(result, Found(case, unread), READS, policy(), switched_on=True, under=under)
    return bytes(rendered(page, Frame(name="Alice", roles=ROLES, at="/requests/r-1"), None).body).decode()


def test_what_was_just_let_pass_may_be_installed() -> None:
    page = shown(ALLOWED, USED)

    assert "Install it now, watched" in page
    assert "It may be installed under an exception" in page


@pytest.mark.parametrize(
    "case",
    [
        USED._replace(status=Status.REVOKED),
        USED._replace(status=Status.NEEDS_REVIEW),
        USED._replace(valid_until=NOW - 1),
        USED._replace(executions=(RUN._replace(ended="ROLLED_BACK"),)),
        USED._replace(round=2),
        None,
    ],
    ids=["revoked", "under review", "expired", "rolled back", "another round", "gone"],
)
def test_what_an_exception_let_pass_once_is_not_said_to_be_allowed_now(case: ExceptionCase | None) -> None:
    page = shown(ALLOWED, case)

    assert "Install it now" not in page
    assert "may be installed" not in page
    assert "It was allowed at" in page


def test_nobody_is_told_to_install_while_the_exception_cannot_be_read() -> None:
    page = shown(ALLOWED, None, unread=True)

    assert "Install it now" not in page
    assert "Nobody knows now whether that still holds" in page
    assert "to see whether what was allowed still holds" in page


@pytest.mark.parametrize(
    ("allowed", "case", "words"),
    [
        (ALLOWED, USED, True),
        (ALLOWED, USED._replace(round=2), False),
        (ALLOWED, USED._replace(opened_at=NOW), False),
        (ALLOWED, USED._replace(executions=()), False),
        (result(exception_id="another", refusals=["VERSION_OUT_OF_SCOPE"]), USED, False),
    ],
    ids=["those", "of another round", "amended since", "of another request", "of another exception"],
)
def test_no_other_words_than_those_that_were_decided_on_are_shown_as_the_risk(
    allowed: Result, case: ExceptionCase, words: bool
) -> None:
    assert (WORDS in shown(allowed, case)) is words


@pytest.mark.parametrize(
    ("block", "case", "why"),
    [
        (result(Verdict.BLOCK, Code.HOST_TOO_OLD, Code.API_BREAK), APPROVED, "FINDING_NOT_APPROVED"),
        (result(band=Band.CRITICAL), APPROVED, "BAND_RISEN"),
        (result(), APPROVED._replace(valid_until=NOW - 1), "EXCEPTION_EXPIRED"),
    ],
)
def test_nobody_is_sent_to_install_under_an_exception_that_would_refuse_it(
    block: Result, case: ExceptionCase, why: str
) -> None:
    page = shown(block, case)

    assert "Install under it" not in page
    assert "Install it under" not in page
    assert why in page
    assert "Install under it" in shown(result(), APPROVED)
