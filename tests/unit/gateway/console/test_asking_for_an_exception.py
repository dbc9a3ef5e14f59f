"""Where the pages offer to ask for an exception: nowhere that the workflow would refuse whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, NEVER_ASKED, SCOPE, policy

from processors.bootstrap.answering import may_be_asked_for, never_excepted
from processors.client.exceptions import history
from processors.errors import BrokerUnavailable
from processors.events.exceptions import Status
from processors.events.report import Demand, Finding, Report, Risk
from processors.events.report_record import report_to_record
from processors.events.results import Result
from processors.events.vocabulary import Band, Code, Dimension, Effect, Severity, Verdict
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.exceptions import ExceptionRequest
from processors.gateway.auth.principal import Principal
from processors.gateway.console import asking
from processors.gateway.console.asking import Ask, Typed, ready
from processors.gateway.console.forms import Fault
from processors.gateway.console.visitors import Visitor
from processors.gateway.desk import Desk
from processors.gateway.mailbox import Crowded


def a_report(verdict: Verdict, **effects: Effect) -> Report:
    """With one finding of each code that is named."""
    found = [
        Finding(
            code=Code(code),
            dimension=Dimension.MATRIX,
            effect=effect,
            severity=Severity.MAJOR,
            subject="crm",
            object="corex",
            required=Demand(constraint=""),
        )
        for code, effect in effects.items()
    ]
    return Report(
        engine="1",
        input_digest="",
        basis_digest="",
        plugin_id="crm",
        plugin_version="1.0.0",
        host="corex",
        host_version="1.9.0",
        dialect="npm",
        verdict=verdict,
        summary="",
        findings=tuple(found),
        risk=Risk(0, Band.NONE),
    )


@pytest.mark.parametrize(
    ("report", "offered"),
    [
        (a_report(Verdict.BLOCK, HOST_TOO_OLD=Effect.BLOCK), True),
        (a_report(Verdict.BLOCK, HOST_TOO_OLD=Effect.BLOCK, MATRIX_EXPIRED=Effect.WARN), True),
        (a_report(Verdict.BLOCK, HOST_TOO_OLD=Effect.BLOCK, MATRIX_EXPIRED=Effect.BLOCK), False),
        (a_report(Verdict.BLOCK, MANIFEST_INVALID=Effect.BLOCK), False),
        (a_report(Verdict.WARN, MATRIX_WARN=Effect.WARN), False),
    ],
    ids=["may be excepted", "only warned of", "never, says the policy", "never at all", "no block"],
)
def test_an_exception_is_offered_only_where_it_can_be_had(report: Report, offered: bool) -> None:
    """One finding that nobody may except is enough: with it the block would stay."""
    assert may_be_asked_for(report, policy()) is offered


def test_what_nobody_may_except_is_named_once() -> None:
    """The page says why there is nothing to ask for."""
    report = a_report(Verdict.BLOCK, HOST_TOO_OLD=Effect.BLOCK, MATRIX_EXPIRED=Effect.BLOCK)

    assert never_excepted(report, policy()) == ("MATRIX_EXPIRED",)
    assert never_excepted(a_report(Verdict.WARN, MATRIX_EXPIRED=Effect.WARN), policy()) == ()


SAID = "The warehouse stands still without it, and the host is upgraded on Friday."


def typed(**more: Any) -> Typed:
    plain = Typed(answers=[SAID], findings=["0123456789abcdef"], controls="", window=False, key="")
    return plain._replace(**more)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (typed(findings=[]), "finding"),
        (typed(findings=["x"] * 501), "finding"),
        (typed(controls="a roll\x00back"), ""),
    ],
    ids=["no finding", "too many findings", "what nobody can print"],
)
def test_what_cannot_be_sent_is_not_called_refused(form: Typed, field: str) -> None:
    """Nothing of it is on record, and the form says so at its field."""
    fault = ready("r-1", form, SAID, policy())

    assert isinstance(fault, Fault)
    assert (fault.field, fault.sent) == (field, False)


REJECTED = NEVER_ASKED._replace(round=1, status=Status.REJECTED, scope=SCOPE, requester=ALICE)


class Apart(Desk):
    """In which the exception is read, and its history, or nothing at all, cannot be."""

    case: ExceptionCase | None = None
    error: Exception = Crowded()

    async def read(self, call: Callable[..., Any], *arguments: Any) -> Any:
        if call is history or self.case is None:
            raise self.error
        return self.case


@pytest.mark.parametrize("error", [Crowded(), BrokerUnavailable("no broker answers")])
@pytest.mark.parametrize("case", [None, REJECTED], ids=["no exception", "no history"])
def test_a_form_with_a_fault_keeps_what_was_typed_whatever_cannot_be_read(
    case: ExceptionCase | None, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[tuple[Ask, int]] = []
    report = report_to_record(a_report(Verdict.BLOCK, HOST_TOO_OLD=Effect.BLOCK))
    block = Result({**SCOPE._asdict(), "request_id": "r-1", "target": "warehouse-1", "report": report})

    async def blocked(*_: Any) -> Result:
        return block

    async def form(_: Any) -> dict[str, list[str]]:
        return {"risk": [SAID], "finding": []}

    monkeypatch.setattr(asking, "_block", blocked)
    monkeypatch.setattr(asking, "read_form", form)
    monkeypatch.setattr(asking, "read_policy", lambda _: policy())
    monkeypatch.setattr(asking, "show", lambda _, page, status: pages.append((page, status)))
    unused = cast(Any, None)
    desk = Apart(settings=unused, config=unused, events=unused, outbox=unused, gate=unused, keys=unused)
    desk.case, desk.error = case, error
    who = Principal(
        issuer=ALICE.issuer, subject=ALICE.subject, roles=frozenset(), tenants=frozenset({SCOPE.tenant})
    )
    asyncio.run(asking.asked(unused, "r-1", desk, Visitor(who, None)))
    page, status = pages[0]

    assert status == 422
    assert page.fault is not None
    assert page.prompts[0].answer == SAID


def test_what_can_be_sent_is_what_was_typed() -> None:
    wanted = ready("r-1", typed(controls="a rollback\n\na canary\n"), SAID, policy())

    assert isinstance(wanted, ExceptionRequest)
    assert (wanted.risk_statement, wanted.compensating_controls) == (SAID, ("a rollback", "a canary"))
