"""What happened, in sentences that say it: no move from a state to itself, and nothing to do that nobody knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from examples.ledgers import rows_of

from processors.events.exceptions import CommandKind
from processors.events.vocabulary import Action
from processors.exception_workflow.rules import transitions
from processors.ledger.samples import story
from processors.ledger.telling import change, tell

PETRA = "k1:3f2a0000000000000000000000000000 (p…)"
NOW = "; it is APPROVED now"
CRM = {"plugin_id": "crm", "plugin_version": "1.0.0", "tenant": "acme"}
EVENTS = sorted({
    *transitions._FIRED.values(),  # pyright: ignore[reportPrivateUsage]
    *transitions._BY_STATUS.values(),  # pyright: ignore[reportPrivateUsage]
    *transitions._NAMES.values(),  # pyright: ignore[reportPrivateUsage]
    *("refused", "orphaned", "repeated", "already_open", "used_again", "rechecked", "monitoring_lost"),
    *("execution_succeeded", "execution_failed", "execution_rolled_back", "execution_cancelled"),
    *("approval_recorded", "step_approved"),
})  # fmt: skip


def row(kind: str, payload: Mapping[str, Any], **columns: Any) -> dict[str, Any]:
    blank = (
        "state",
        "reason",
        "verdict",
        "exception_id",
        "approval_id",
        "request_id",
        "tenant",
        "host",
        "plugin_id",
    )
    return {"kind": kind, "status": "recorded", "partition": 0, **dict.fromkeys(blank), "finding_codes": [],
            "plugin_version": "", "payload": json.dumps(payload), **columns}  # fmt: skip


def decided(event: str, before: str, after: str, **columns: Any) -> dict[str, Any]:
    payload = {
        "event": event,
        "from_state": before,
        "to_state": after,
        "actor": PETRA,
        "step": "security",
        "reason": "",
    }
    return row("ExceptionDecided", payload, state=after, **columns)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            decided("approved", "IN_REVIEW", "APPROVED", approval_id="a"),
            f"the exception was approved by {PETRA} in step security, which was the last one, approval a{NOW}",
        ),
        (
            decided("recheck_sent", "APPROVED", "APPROVED"),
            "the guard was asked to judge again what the exception is for; it stays APPROVED",
        ),
        (
            decided("used", "APPROVED", "CONSUMED", request_id="r-2"),
            "the exception let an installation pass for request r-2; it is CONSUMED now",
        ),
        (
            decided("requested", "UNKNOWN", "CHECKING"),
            f"the exception was asked for by {PETRA}; it is CHECKING now",
        ),
        (
            decided("refused", "UNKNOWN", "UNKNOWN", reason="NO_SUCH_EXCEPTION"),
            f"what {PETRA} sent about the exception was refused (NO_SUCH_EXCEPTION)",
        ),
        (decided("something_newer", "APPROVED", "REVOKED"), "the exception: something newer; it is REVOKED now"),
        (
            row("InstallRequested", {"operator": PETRA, "action": "UNKNOWN"}, **CRM),
            f"{PETRA} asked to install crm 1.0.0 in acme",
        ),
        (
            row("InstallRequested", {"operator": PETRA, "action": "UPGRADE"}, **CRM),
            f"{PETRA} asked to upgrade to crm 1.0.0 in acme",
        ),
        (
            row("ExceptionRequested", {"requester": PETRA, "risk_statement": "we watch it", "category": "WAIVER",
                                       "reason": ""}, state="REQUESTED"),
            f"{PETRA} asked for an exception, taking the risk: we watch it",
        ),
        (
            row("ExceptionRequested", {"requester": PETRA, "risk_statement": "", "category": "UNKNOWN",
                                       "reason": "not needed"}, state="WITHDRAWN"),
            f"{PETRA} asked to withdraw the request for an exception: not needed",
        ),
    ],
)  # fmt: skip
def test_an_event_is_told_as_what_happened(event: dict[str, Any], said: str) -> None:
    assert tell(event) == said


@pytest.mark.parametrize("event", EVENTS)
def test_every_change_of_an_exception_has_its_words(event: str) -> None:
    assert not change(event).startswith("the exception: "), event
    assert "{" not in change(event, PETRA, "security", "r-1")


@pytest.mark.parametrize("event", [e for e in EVENTS if transitions._FIRED and e in transitions._FIRED.values()])  # pyright: ignore[reportPrivateUsage]
def test_no_person_is_named_where_a_clock_acted(event: str) -> None:
    """The ledger masks the clock like anybody."""
    assert PETRA not in change(event, PETRA, "security")


@pytest.mark.parametrize("kind", [kind for kind in CommandKind if kind is not CommandKind.UNKNOWN])
def test_every_command_has_its_words(kind: str) -> None:
    payload = {"requester": PETRA, "risk_statement": "", "category": "WAIVER", "reason": ""}
    said = tell(row("ExceptionRequested", payload, state=kind))
    assert "sent a command" not in said
    assert kind not in said


@pytest.mark.parametrize("action", Action)
def test_no_line_says_unknown(action: str) -> None:
    said = tell(row("InstallRequested", {"operator": PETRA, "action": action}, plugin_id="crm", tenant="acme"))
    assert "unknown" not in said.lower()


def test_a_whole_case_is_told_without_a_word_that_nobody_knows() -> None:
    for filed in rows_of([sample for number in range(3) for sample in story(number)]):
        said = tell({name: getattr(filed, name) for name in type(filed).__slots__})
        assert "UNKNOWN" not in said
        assert said
