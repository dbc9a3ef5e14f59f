"""What the workflow makes of records and of time, without a broker: order, repetition, and what is too large."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from examples.exception_events import NEW_BREAK, TOO_OLD, Events
from examples.exception_stream import Desk
from examples.exceptions import BOB, DAY, HOUR, ID, MINUTE, NOON, SABINE
from examples.sealing import as_ours

from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
    NOTIFICATIONS,
    RESULTS,
)
from processors.exception_workflow.rules.rechecks import recheck_id
from processors.stream.types import Headers, Inbound, Reject


def approved(desk: Desk, command: str = "command-1", **more: Any) -> None:
    """A request, and everybody's consent."""
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(command_id=command, **more))
    for person in (BOB, SABINE):
        decision = desk.events.decision(person, desk.now, jti=f"{person.subject}-{command}")
        desk.take(APPROVAL_DECISIONS, ID, decision)


def told(desk: Desk) -> list[str]:
    return [decision["event"] for decision in desk.of(EXCEPTION_DECISIONS)]


def alarms(desk: Desk) -> list[str]:
    return [notice["kind"] for notice in desk.of(NOTIFICATIONS) if notice["urgency"] == "CRITICAL"]


def refused(desk: Desk, topic: str, value: bytes, headers: Headers = ()) -> list[Reject]:
    """What is quarantined of one record on the partition of the exception."""
    at = desk.home(ID)
    outcome = desk.workflow.handle([Inbound(topic, at, 0, desk.now, ID.encode(), value, headers)], desk)
    assert not (outcome.rejects and (outcome.outputs or outcome.writes))
    return outcome.rejects


def test_a_clock_and_a_refresh_in_one_tick_do_not_undo_each_other() -> None:
    """As after a downtime in which the matrix moved: every change has a number of its own, and rings once."""
    desk = Desk(NOON)
    approved(desk)
    desk.now, desk.mark = NOON + 8 * DAY, "mark-2"
    desk.tick()
    desk.tick()

    changes = [(d["sequence"], d["event"]) for d in desk.of(EXCEPTION_DECISIONS)]
    assert len({number for number, _ in changes}) == len(changes)
    assert [event for _, event in changes][-1] == "expired"
    assert desk.case(ID).status == "EXPIRED"
    assert [asked["recheck_of"] for asked in desk.of(INSTALL_REQUESTS)] == ["request-1"], "only before the review"


def test_a_use_is_refused_whose_report_is_older_than_the_matrix() -> None:
    """It waited while the matrix was refreshed; what the checker had said no longer counts."""
    desk = Desk(NOON)
    approved(desk)
    desk.refreshed_at = NOON + HOUR
    desk.now = NOON + 2 * HOUR
    desk.take(EXCEPTION_USES, ID, desk.events.use(use_id="late"), came=NOON + HOUR - 1)
    desk.take(EXCEPTION_USES, ID, desk.events.use(use_id="fresh"))

    assert told(desk)[-2:] == ["refused", "used"]
    assert desk.of(EXCEPTION_DECISIONS)[-2]["reason_code"] == "REPORT_NOT_FRESH"


def test_monitoring_that_is_lost_alarms_in_the_next_round_too() -> None:
    """What was installed in the first round runs on; the second one has only been asked for."""
    desk = Desk(NOON)
    approved(desk)
    desk.take(EXCEPTION_USES, ID, desk.events.use())
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome())
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(command_id="again"))
    assert not alarms(desk)
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(monitoring="LOST"))

    assert told(desk)[-1] == "monitoring_lost"
    assert set(alarms(desk)) == {"monitoring_lost"}
    assert (desk.case(ID).status, desk.case(ID).round) == ("PENDING", 2)


def test_a_use_of_an_earlier_round_is_no_repetition_in_the_next() -> None:
    """Else the request of the first round would run again without spending the second."""
    desk = Desk(NOON)
    for command in ("one", "two"):
        approved(desk, command)
        desk.take(EXCEPTION_USES, ID, desk.events.use())
        desk.now += MINUTE

    assert told(desk).count("used") == 2
    assert (desk.case(ID).status, desk.case(ID).uses) == ("CONSUMED", 1)


def test_a_spent_single_use_is_not_extended() -> None:
    """Who approves more time does not approve a second installation."""
    desk = Desk(NOON)
    approved(desk)
    desk.take(EXCEPTION_USES, ID, desk.events.use())
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(monitoring="LOST"))
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(command_id="more", kind="EXTENSION_REQUESTED"))

    assert desk.of(EXCEPTION_DECISIONS)[-1]["reason_code"] == "ALREADY_USED"
    assert desk.case(ID).status == "NEEDS_REVIEW"


def test_a_review_says_what_is_new_and_the_way_out() -> None:
    """Else whoever looks at it finds nothing that they can do."""
    desk = Desk(NOON)
    approved(desk)
    desk.mark = "mark-2"
    desk.tick()
    report = desk.events.report(findings=(TOO_OLD, NEW_BREAK))
    answer = desk.events.use(report=report, recheck_of="request-1", request_id=recheck_id(desk.case(ID)))
    desk.take(EXCEPTION_USES, ID, answer)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(command_id="more", kind="AMENDED"))

    review, refusal = desk.of(EXCEPTION_DECISIONS)[-2:]
    assert (review["event"], review["reason"]) == ("needs_review", "blocks that nobody approved: API_BREAK")
    assert f"`compat-guard exception extend {ID}` asks for a new review" in refusal["reason"]


def test_a_question_that_an_earlier_build_has_kept_is_asked_again_as_it_is_now() -> None:
    """Its bytes lack a field that was added since; the answer is about the bytes that are sent."""
    desk = Desk(NOON)
    approved(desk)
    at, case = desk.home(ID), desk.case(ID)
    desk.held[at][ID] = case._replace(subject=case.subject[:-1], input_digest="sha256:of-the-earlier-bytes")
    desk.start()
    desk.mark = "mark-2"
    desk.tick()

    (asked,) = desk.of(INSTALL_REQUESTS)[-1:]
    assert asked["subject"]["together"] == []
    answer = desk.events.use(recheck_of="request-1", request_id=recheck_id(desk.case(ID)))
    desk.take(EXCEPTION_USES, ID, answer)
    assert desk.of(EXCEPTION_DECISIONS)[-1]["event"] == "rechecked"


def test_an_extension_does_not_end_what_lasts_longer() -> None:
    desk = Desk(NOON)
    approved(desk)
    shorter = desk.events.command(command_id="more", kind="EXTENSION_REQUESTED", valid_until=NOON + DAY)
    desk.take(EXCEPTION_REQUESTS, ID, shorter)

    assert desk.of(EXCEPTION_DECISIONS)[-1]["reason_code"] == "VALIDITY_IN_PAST"
    assert desk.case(ID).status == "APPROVED"


def test_an_outcome_that_is_told_twice_counts_once() -> None:
    """A rollout may publish again what it is not sure of."""
    desk = Desk(NOON)
    approved(desk)
    desk.take(EXCEPTION_USES, ID, desk.events.use())
    for _ in range(2):
        desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(monitoring="LOST"))
    once = alarms(desk)
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(monitoring="LOST"))

    assert told(desk)[-3:] == ["monitoring_lost", "repeated", "repeated"]
    assert alarms(desk) == once


def test_lost_monitoring_of_what_nobody_let_pass_alarms_security() -> None:
    desk = Desk(NOON)
    approved(desk)
    desk.take(INSTALL_OUTCOMES, ID, desk.events.outcome(request_id="unheard-of", monitoring="LOST"))

    last = desk.of(EXCEPTION_DECISIONS)[-1]
    assert (last["reason_code"], last["security_event"]) == ("UNKNOWN_EXECUTION", True)


def test_a_decision_on_a_round_that_is_still_to_come_waits_for_it() -> None:
    """Topics have no order between them, in the second round no more than in the first."""
    desk = Desk(NOON)
    approved(desk)
    desk.take(EXCEPTION_USES, ID, desk.events.use())
    report = desk.events.report() | {"summary": "as it stands today"}
    digest = desk.events.digest(report)
    early = desk.events.decision(BOB, desk.now, jti="early", report_digest=digest)
    desk.take(APPROVAL_DECISIONS, ID, early)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(report=report, command_id="second"))

    assert told(desk)[-4:] == ["parked", "requested", "review_opened", "step_approved"]


def test_one_token_waits_once() -> None:
    """Else a single one, sent again and again, would fill the places of all others."""
    desk = Desk(NOON)
    early = desk.events.decision(BOB, NOON)
    for _ in range(2):
        desk.take(APPROVAL_DECISIONS, ID, early)

    assert [d["reason_code"] for d in desk.of(EXCEPTION_DECISIONS)] == ["", "REPLAYED"]
    assert len(desk.case(ID).parked) == 1


def _large(events: Events) -> bytes:
    """An honest request, about a question that leaves no room for its state."""
    subject = events.subject()
    subject["manifest"]["name"] = "x" * 920_000
    report = events.report() | {"input_digest": events.subject_digest(subject)}
    return events.command(subject=subject, report=report)


@pytest.mark.parametrize(
    ("topic", "make", "reason"),
    [
        (EXCEPTION_REQUESTS, lambda e: e.command(requester="x" * 400_000, kind="WITHDRAWN"), "unreadable"),
        (EXCEPTION_REQUESTS, lambda e: e.command(command_id="x" * 513), "unreadable"),
        (EXCEPTION_USES, lambda e: e.use(operator="x" * 513), "unreadable"),
        (INSTALL_OUTCOMES, lambda e: e.outcome(outcome_id="x" * 513), "unreadable"),
        (EXCEPTION_REQUESTS, _large, "output_too_large"),
    ],
)
def test_what_would_not_fit_its_topics_is_quarantined(topic: str, make: Any, reason: str) -> None:
    """Found before the transaction: a broker's refusal would stop every other record of this process."""
    desk = Desk(NOON)
    value = make(desk.events)

    assert [reject.reason for reject in refused(desk, topic, value, as_ours(topic, ID, value))] == [reason]


def test_a_list_without_end_of_controls_is_refused() -> None:
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(compensating_controls=[""] * 400_000))

    assert desk.of(EXCEPTION_DECISIONS)[-1]["reason_code"] == "TEXT_TOO_LONG"


def test_a_record_that_is_sent_on_leaves_a_stranger_s_endless_headers_behind() -> None:
    desk = Desk(NOON)
    record = Inbound(
        INSTALL_OUTCOMES, (desk.home(ID) + 1) % 6, 0, NOON, b"", desk.events.outcome(), (("x", b"y" * 5_000_000),)
    )
    (moved,) = desk.workflow.handle([record], desk).outputs

    assert (moved.partition, moved.headers) == (desk.home(ID), ())


def test_a_use_under_an_exception_has_one_result() -> None:
    desk = Desk(NOON)
    approved(desk)
    desk.take(EXCEPTION_USES, ID, desk.events.use())

    assert len([output for output in desk.outputs if (output.topic, output.key) == (RESULTS, b"request-2")]) == 1


def test_a_record_does_not_ring_clocks_that_one_unread_may_stop() -> None:
    """After an outage of a week, the rollout's news is read first; an approval of the sixth day waits elsewhere."""
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    desk.now, desk.unread_since = NOON + 8 * DAY, NOON + MINUTE
    home = desk.home(ID)
    news = Inbound(INSTALL_OUTCOMES, home, 7, NOON + 7 * DAY + MINUTE, ID.encode(), desk.events.outcome())
    outcome = desk.workflow.handle([news, replace(news, offset=8)], desk)

    assert outcome.waiting == {(INSTALL_OUTCOMES, home): 7}
    assert outcome.outputs + outcome.writes + outcome.rejects == []

    desk.unread_since = None
    outcome = desk.workflow.handle([news], desk)
    assert not outcome.waiting
    assert desk.case(ID).status == "PENDING"
    assert [write.value.status for write in outcome.writes if write.key == ID] == ["LAPSED"]


def test_a_batch_is_judged_in_the_order_in_which_the_broker_took_it() -> None:
    """However its topics are mixed: the approval came before the time was over."""
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    desk.now, home = NOON + 8 * DAY, desk.home(ID)
    late = Inbound(INSTALL_OUTCOMES, home, 0, NOON + 8 * DAY, ID.encode(), desk.events.outcome())
    early = Inbound(APPROVAL_DECISIONS, home, 0, NOON + HOUR, ID.encode(), desk.events.decision(BOB, NOON + HOUR))
    desk._settle(desk.workflow.handle([late, early], desk))

    assert told(desk)[:3] == ["requested", "review_opened", "step_approved"]
