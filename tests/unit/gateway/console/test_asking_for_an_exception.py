"""Where the pages offer to ask for an exception: nowhere that the workflow would refuse whoever asks."""

from __future__ import annotations

from typing import Any

import pytest
from examples.exceptions import policy

from processors.bootstrap.answering import may_be_asked_for, never_excepted
from processors.events.report import Demand, Finding, Report, Risk
from processors.events.vocabulary import Band, Code, Dimension, Effect, Severity, Verdict
from processors.gateway.api.exceptions import ExceptionRequest
from processors.gateway.console.asking import Typed, ready
from processors.gateway.console.forms import Fault


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


def test_what_can_be_sent_is_what_was_typed() -> None:
    wanted = ready("r-1", typed(controls="a rollback\n\na canary\n"), SAID, policy())

    assert isinstance(wanted, ExceptionRequest)
    assert (wanted.risk_statement, wanted.compensating_controls) == (SAID, ("a rollback", "a canary"))
