"""Attacks on what is approved: reports that the guard never wrote, and uses and outcomes that stand for others."""

from __future__ import annotations

from typing import Any

import pytest
from examples.exception_events import NEW_BREAK, TOO_OLD
from examples.exception_stream import Desk
from examples.exceptions import BOB, DAY, HOUR, ID, NOON, SABINE

from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
    NOTIFICATIONS,
)
from processors.events.vocabulary import Band


def told(desk: Desk) -> list[str]:
    return [decision["event"] for decision in desk.of(EXCEPTION_DECISIONS)]


def last(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.of(EXCEPTION_DECISIONS)[-1]
    return found


def approvers_heard(desk: Desk) -> list[str]:
    return [n["body"] for n in desk.of(NOTIFICATIONS) if n["kind"] == "approval_needed"]


def asked(report: dict[str, Any] | None = None, **more: Any) -> Desk:
    """A request on a desk at which the guard has not answered yet."""
    desk = Desk(NOON, checks=False)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(report=report, **more))
    return desk


def decide(desk: Desk, digest: str = "") -> None:
    bound = {"report_digest": digest} if digest else {}
    for person in (BOB, SABINE):
        desk.take(APPROVAL_DECISIONS, ID, desk.events.decision(person, desk.now, **bound))


def approved() -> Desk:
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    decide(desk)
    assert desk.case(ID).status == "APPROVED"
    return desk


def forged(**more: Any) -> dict[str, Any]:
    """A report that its sender wrote, about the honest question."""
    honest = Desk(NOON).events.report()
    return {**honest, **more}


TYPO = forged(summary="only a typo", risk={**forged()["risk"], "score": 1, "band": "LOW"})


def test_an_invented_summary_and_score_are_shown_to_no_approver() -> None:
    desk = asked(TYPO)
    decide(desk, desk.events.digest(TYPO))
    desk.answer(ID)

    assert told(desk) == ["requested", "parked", "parked", "unconfirmed"]
    assert (last(desk)["reason_code"], last(desk)["security_event"]) == ("REPORT_ALTERED", True)
    assert desk.case(ID).status == "REJECTED"
    assert approvers_heard(desk) == []
    assert not [n for n in desk.of(NOTIFICATIONS) if "typo" in n["body"] and n["recipient"] != "alice"]


def test_findings_that_nobody_has_seen_are_not_approved_ahead() -> None:
    report = Desk(NOON).events.report(findings=(TOO_OLD, NEW_BREAK))
    desk = asked(report)
    desk.answer(ID)

    assert (told(desk)[-1], desk.case(ID).status) == ("unconfirmed", "REJECTED")


def test_no_timer_runs_and_nobody_is_asked_before_the_guard_has_answered() -> None:
    desk = asked()
    for hours in (5, 9, 25):
        desk.now = NOON + hours * HOUR
        desk.tick()
    assert told(desk) == ["requested"]
    assert approvers_heard(desk) == []
    assert desk.of(EXCEPTION_DECISIONS)[0]["band"] == "UNKNOWN", "the band is the guard's word"

    desk.answer(ID)
    desk.now += 5 * HOUR
    desk.tick()
    assert told(desk) == ["requested", "review_opened", "reminded"]
    assert len(approvers_heard(desk)) == 1


def test_a_request_that_the_guard_never_answers_lapses() -> None:
    desk = asked()
    desk.now = NOON + 8 * DAY
    desk.tick()

    assert told(desk) == ["requested", "lapsed"]


def test_an_answer_to_another_question_opens_no_review() -> None:
    desk = asked()
    stranger = {"recheck_of": "request-1", "request_id": "made-up", "operator": "exception-workflow"}
    desk.take(EXCEPTION_USES, ID, desk.events.use(**stranger))

    assert last(desk)["reason_code"] == "NOT_ASKED"
    assert desk.case(ID).status == "CHECKING"


def test_an_answer_that_comes_after_the_withdrawal_opens_nothing() -> None:
    desk = asked()
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(kind="WITHDRAWN", command_id="c-2"))
    desk.answer(ID)

    assert desk.case(ID).status == "WITHDRAWN"


def test_a_report_from_before_a_refresh_is_refused_without_an_alarm() -> None:
    """The matrix moved between the block and the request: nobody has forged anything."""
    old = forged(basis_digest="sha256:" + "1" * 64)
    desk = asked(old)
    desk.answer(ID)

    assert (last(desk)["reason_code"], last(desk)["security_event"]) == ("REPORT_NOT_CONFIRMED", False)


def test_an_invented_request_id_leads_nobody_to_another_s_report() -> None:
    """Approvers are sent to the report that the guard gave to the workflow itself."""
    desk = asked(request_id="somebody-else-s")
    desk.answer(ID)
    (question,) = desk.of(INSTALL_REQUESTS)
    notices = [n for n in desk.of(NOTIFICATIONS) if n["kind"] == "approval_needed"]

    assert {n["request_id"] for n in notices} == {question["request_id"]}
    assert last(desk)["request_id"] == question["request_id"]


def test_an_extension_on_a_forged_low_report_is_refused() -> None:
    desk = approved()
    low = desk.events.report(band=Band.LOW)
    more = {"kind": "EXTENSION_REQUESTED", "command_id": "c-2", "valid_until": NOON + 29 * DAY}
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(report=low, **more))

    assert last(desk)["reason_code"] == "REPORT_NOT_CONFIRMED"
    assert desk.case(ID).status == "APPROVED"


def test_an_amendment_to_a_forged_report_reaches_no_approver() -> None:
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    heard = len(approvers_heard(desk))
    desk.checks = False
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(report=TYPO, kind="AMENDED", command_id="c-2"))
    desk.answer(ID)

    assert (desk.case(ID).status, len(approvers_heard(desk))) == ("REJECTED", heard)


def test_what_is_over_keeps_no_question() -> None:
    """Each may be most of a megabyte, and is kept for years."""
    desk = Desk(NOON)
    subject = desk.events.subject()
    subject["manifest"]["name"] = "x" * 650_000
    report = desk.events.report() | {"input_digest": desk.events.subject_digest(subject)}
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(report=report, subject=subject))
    held = len(desk.workflow.state.encode(desk.case(ID)))
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(kind="WITHDRAWN", command_id="c-2"))

    assert desk.case(ID).status == "WITHDRAWN"
    assert held > 650_000
    assert len(desk.workflow.state.encode(desk.case(ID))) < 8_000


def test_a_use_without_a_target_passes_nowhere() -> None:
    """Else one single use, shown again and again, would do for any number of clusters."""
    desk = approved()
    for _ in range(3):
        desk.take(EXCEPTION_USES, ID, desk.events.use(target=""))

    assert "used" not in told(desk)
    assert desk.case(ID).uses == 0
    assert last(desk)["reason_code"] == "TARGET_MISSING"


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        ({"tenant": "rich"}, "TENANT_OUT_OF_SCOPE"),
        ({"plugin_id": "com.evil.crm"}, "PLUGIN_OUT_OF_SCOPE"),
        ({"plugin_version": "9.9.9"}, "VERSION_OUT_OF_SCOPE"),
        ({"target": "another-cluster"}, "TARGET_OUT_OF_SCOPE"),
    ],
)
@pytest.mark.parametrize("monitoring", ["ATTACHED", "LOST"])
def test_an_outcome_of_another_installation_is_not_recorded(
    foreign: dict[str, str], reason: str, monitoring: str
) -> None:
    desk = approved()
    desk.take(EXCEPTION_USES, ID, desk.events.use())
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(monitoring=monitoring, **foreign))

    assert last(desk)["reason_code"] == reason
    assert last(desk)["security_event"] is (monitoring == "LOST")
    assert (desk.case(ID).status, desk.case(ID).executions[0].ended) == ("CONSUMED", "")


def test_a_cancellation_of_another_tenant_withdraws_nothing() -> None:
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    foreign = {"tenant": "rich", "request_id": "request-1", "outcome": "CANCELLED"}
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(**foreign))

    assert last(desk)["reason_code"] == "TENANT_OUT_OF_SCOPE"
    assert desk.case(ID).status == "PENDING"
