"""Stories of exceptions: named people, a list of steps, each with the event and the status that it must lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from examples.exceptions import (
    ALICE,
    BOB,
    DAY,
    HOST_TOO_OLD,
    HOUR,
    ID,
    LENA,
    MINUTE,
    NEVER_ASKED,
    NOON,
    SABINE,
    asks,
    basis,
    confirms,
    policy,
    says,
    tells,
    wants_to_run,
)

from processors.events.exceptions import Category, CommandKind, Person, Scope, Status
from processors.events.outcomes import InstallOutcome, MonitoringStatus
from processors.events.vocabulary import Band, Verdict
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.reasons import Reason
from processors.exception_workflow.rules.rechecks import recheck_id
from processors.exception_workflow.rules.scope import Basis, Blocking, Plan
from processors.exception_workflow.rules.transitions import Move, catch_up, decide, reported
from processors.exception_workflow.rules.triggers import Commanded, Reported, Trigger, UseReported
from processors.exception_workflow.state.case import ExceptionCase

WITHDRAWN = CommandKind.WITHDRAWN
AMENDED = CommandKind.AMENDED
EXTENDED = CommandKind.EXTENSION_REQUESTED
NOTHING_NEW = basis()


def tell(*story: Trigger, case: ExceptionCase = NEVER_ASKED) -> Sequence[Move]:
    """Everything that happens, timers included. The guard confirms each report that a review waits for."""
    moves: list[Move] = []
    for trigger in story:
        moves += catch_up(case, policy(), trigger.at)
        case = moves[-1].after if moves else case
        judged = reported(case, trigger, policy()) if isinstance(trigger, Reported) else trigger
        moves.append(decide(case, judged, policy()))
        case = moves[-1].after
        if moves[-1].changed and case.status is Status.CHECKING and isinstance(trigger, Commanded):
            moves.append(decide(case, confirms(case, trigger.at, trigger.basis), policy()))
            case = moves[-1].after
    return moves


def ends(*story: Trigger) -> tuple[str, Status, tuple[Reason, ...]]:
    last = tell(*story)[-1]
    return last.fact.event, last.after.status, last.fact.reasons


def answers(fresh: Basis = NOTHING_NEW, **more: Any) -> UseReported:
    """The checker's answer to the last question of the first round."""
    about = ExceptionCase(exception_id=ID, round=1, rechecks=1)
    return wants_to_run(recheck_of="request-1", basis=fresh, **{"request_id": recheck_id(about), **more})


APPROVED = (asks(), says(BOB), says(SABINE))
REVIEWED = (*APPROVED, asks(EXTENDED, at=NOON + HOUR, command_id="c-9"))


@pytest.mark.parametrize(
    ("story", "event", "status"),
    [
        pytest.param((asks(),), "review_opened", Status.PENDING, id="a request waits"),
        pytest.param((asks(), asks(command_id="c-2")), "already_open", Status.PENDING, id="asking twice is one"),
        pytest.param((asks(), asks()), "repeated", Status.PENDING, id="the same command twice is one"),
        pytest.param((asks(), says(BOB)), "step_approved", Status.IN_REVIEW, id="the first of two steps"),
        pytest.param(APPROVED, "approved", Status.APPROVED, id="both steps"),
        pytest.param((asks(), says(BOB, Verb.DENY)), "rejected", Status.REJECTED, id="one denial ends it"),
        pytest.param((asks(), says(BOB), asks(AMENDED, command_id="c-2")), "amended", Status.PENDING, id="amended"),
        pytest.param((asks(), asks(WITHDRAWN, command_id="c-2")), "withdrawn", Status.WITHDRAWN, id="withdrawn"),
        pytest.param((*APPROVED, wants_to_run()), "used", Status.CONSUMED, id="single use is spent"),
        pytest.param((*APPROVED, wants_to_run(), wants_to_run()), "used_again", Status.CONSUMED, id="repetition"),
        pytest.param((*APPROVED, wants_to_run(), tells()), "execution_succeeded", Status.CONSUMED, id="watched"),
        pytest.param(
            (*APPROVED, wants_to_run(), tells(monitoring=MonitoringStatus.LOST)),
            "monitoring_lost",
            Status.NEEDS_REVIEW,
            id="lost monitoring",
        ),
        pytest.param(
            (*APPROVED, wants_to_run(), tells(monitoring_addons=("latency",))),
            "monitoring_lost",
            Status.NEEDS_REVIEW,
            id="monitoring that covers less",
        ),
        pytest.param(
            (
                *APPROVED,
                wants_to_run(),
                tells(outcome=InstallOutcome.ROLLED_BACK, monitoring=MonitoringStatus.UNKNOWN),
            ),
            "execution_rolled_back",
            Status.CONSUMED,
            id="rolled back: the use is spent, nothing is left to watch",
        ),
        pytest.param(
            (asks(), tells(at=NOON + 1, request_id="request-1", outcome=InstallOutcome.CANCELLED)),
            "withdrawn",
            Status.WITHDRAWN,
            id="a cancelled installation takes its request along",
        ),
        pytest.param(
            (*APPROVED, says(SABINE, Verb.REVOKE, at=NOON + HOUR)),
            "revoked",
            Status.REVOKED,
            id="revoked by security",
        ),
        pytest.param(REVIEWED, "extension_requested", Status.IN_REVIEW, id="extension"),
        pytest.param((*APPROVED, answers()), "rechecked", Status.APPROVED, id="as approved"),
        pytest.param(
            (*APPROVED, answers(basis(blocking=(), verdict=Verdict.ALLOW))),
            "voided",
            Status.VOIDED,
            id="nothing blocks any more",
        ),
        pytest.param(
            (*APPROVED, answers(basis(blocking=(HOST_TOO_OLD, Blocking("f" * 16, "API_BREAK"))))),
            "needs_review",
            Status.NEEDS_REVIEW,
            id="a finding that nobody approved",
        ),
        pytest.param(
            (*APPROVED, answers(basis(band=Band.CRITICAL))),
            "needs_review",
            Status.NEEDS_REVIEW,
            id="a higher band",
        ),
        pytest.param(
            (asks(), says(BOB, Verb.DENY), asks(command_id="c-2", at=NOON + HOUR)),
            "review_opened",
            Status.PENDING,
            id="a new round after a final state",
        ),
    ],
)
def test_what_happens_leads_where_the_table_says(story: Sequence[Trigger], event: str, status: Status) -> None:
    """Each row of the table, told as a story."""
    assert ends(*story) == (event, status, ())


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        pytest.param((says(BOB),), Reason.OTHER_REPORT, id="a decision on nothing"),
        pytest.param((asks(WITHDRAWN),), Reason.NO_SUCH_EXCEPTION, id="withdrawing nothing"),
        pytest.param((asks(), says(SABINE)), Reason.WRONG_STEP, id="the second step first"),
        pytest.param((asks(), says(BOB, step="security")), Reason.WRONG_STEP, id="a step that is not due"),
        pytest.param((asks(), says(BOB, roles=frozenset({"intern"}))), Reason.WRONG_ROLE, id="wrong role"),
        pytest.param((asks(), says(ALICE)), Reason.WRONG_STEP, id="the requester at the wrong step"),
        pytest.param((asks(), says(ALICE, step="steward")), Reason.SELF_APPROVAL, id="self-approval"),
        pytest.param(
            (asks(), says(Person("x", "ALICE"), step="steward")), Reason.SELF_APPROVAL, id="self-approval by case"
        ),
        pytest.param(
            (
                asks(requester=Person("i", "alice@x.example")),
                says(Person("x", "Alice+2@X.example"), step="steward"),
            ),
            Reason.SELF_APPROVAL,
            id="self-approval by alias",
        ),
        pytest.param(
            (
                asks(),
                says(BOB),
                says(BOB, at=NOON + 2 * MINUTE, step="security", roles=frozenset({"security-lead"})),
            ),
            Reason.SAME_PERSON_TWICE,
            id="two steps, one person",
        ),
        pytest.param((asks(), says(BOB), says(BOB)), Reason.REPLAYED, id="the same token twice"),
        pytest.param((asks(), says(BOB, exception_id="another")), Reason.OTHER_EXCEPTION, id="another exception"),
        pytest.param((asks(), says(BOB, report_digest="sha256:0")), Reason.OTHER_REPORT, id="another report"),
        pytest.param(
            (
                asks(),
                asks(AMENDED, command_id="c-2", report=basis(digest="sha256:new"), report_digest="sha256:new"),
                says(BOB),
            ),
            Reason.REPORT_SUPERSEDED,
            id="an earlier report",
        ),
        pytest.param(
            (asks(), says(BOB, Verb.DENY, reason=" ")), Reason.REASON_MISSING, id="a denial without a reason"
        ),
        pytest.param(
            (asks(), says(BOB, Verb.DENY), says(BOB)), Reason.ILLEGAL_TRANSITION, id="approval after a denial"
        ),
        pytest.param((*APPROVED, says(LENA)), Reason.ILLEGAL_TRANSITION, id="approval of what is approved"),
        pytest.param(
            (asks(), says(BOB, valid_until=NOON + 40 * DAY)), Reason.DURATION_TOO_LONG, id="approved for too long"
        ),
        pytest.param((asks(), says(BOB, valid_until=NOON)), Reason.VALIDITY_IN_PAST, id="approved for no time"),
        pytest.param(
            (asks(), says(BOB, monitoring_profile="basic")), Reason.MONITORING_TOO_WEAK, id="weaker monitoring"
        ),
        pytest.param(
            (asks(), asks(WITHDRAWN, command_id="c-2", requester=BOB)), Reason.NOT_THE_REQUESTER, id="not theirs"
        ),
        pytest.param(
            (asks(), says(SABINE, Verb.REVOKE, at=NOON + HOUR)), Reason.ILLEGAL_TRANSITION, id="revoking a request"
        ),
        pytest.param(
            (*APPROVED, says(BOB, Verb.REVOKE, at=NOON + HOUR)), Reason.WRONG_ROLE, id="revoked by a steward"
        ),
        pytest.param(
            (*APPROVED, asks(EXTENDED, command_id="c-2", at=NOON + HOUR, valid_until=NOON + 8 * DAY)),
            Reason.DURATION_TOO_LONG,
            id="extended beyond the band's maximum",
        ),
        pytest.param(
            (
                *REVIEWED,
                says(BOB, at=NOON + 2 * HOUR),
                says(SABINE, at=NOON + 2 * HOUR),
                asks(EXTENDED, command_id="c-3", at=NOON + 3 * HOUR),
            ),
            Reason.EXTENDED_ALREADY,
            id="extended twice",
        ),
        pytest.param((*APPROVED, answers(request_id="mine")), Reason.NOT_ASKED, id="a re-check that nobody sent"),
        pytest.param(
            (*APPROVED, answers(basis(input_digest="sha256:0", blocking=()))),
            Reason.NOT_ASKED,
            id="another question",
        ),
        pytest.param(
            (*APPROVED, tells(request_id="unknown", monitoring=MonitoringStatus.ATTACHED)),
            Reason.UNKNOWN_EXECUTION,
            id="an outcome of something else",
        ),
    ],
)
def test_what_the_table_does_not_permit_is_refused(story: Sequence[Trigger], reason: Reason) -> None:
    """A refusal has its reason, and leaves the exception as it was."""
    moves = tell(*story)

    assert moves[-1].fact.reasons == (reason,)
    assert moves[-1].after is moves[-1].before


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        pytest.param(asks(scope=Scope("x", "", "", "", "", "")), Reason.SCOPE_MISMATCH, id="id of another scope"),
        pytest.param(
            asks(report=basis(plugin_version="9.9.9")), Reason.SCOPE_MISMATCH, id="report on another version"
        ),
        pytest.param(asks(report_digest="sha256:0"), Reason.REPORT_ALTERED, id="report altered"),
        pytest.param(asks(report=basis(input_digest="sha256:0")), Reason.SUBJECT_ALTERED, id="question altered"),
        pytest.param(asks(report=basis(verdict=Verdict.WARN)), Reason.NOTHING_TO_EXCEPT, id="nothing blocks"),
        pytest.param(asks(finding_ids=()), Reason.UNKNOWN_FINDING, id="no finding named"),
        pytest.param(asks(finding_ids=("f" * 16,)), Reason.UNKNOWN_FINDING, id="a finding that is not there"),
        pytest.param(
            asks(report=basis(blocking=(Blocking(HOST_TOO_OLD.id, "MANIFEST_INVALID"),))),
            Reason.NEVER_EXCEPTED,
            id="what can never be excepted",
        ),
        pytest.param(
            asks(report=basis(blocking=(Blocking(HOST_TOO_OLD.id, "MATRIX_EXPIRED"),))),
            Reason.NEVER_EXCEPTED,
            id="what the policy never excepts",
        ),
        pytest.param(
            asks(report=basis(blocking=tuple(Blocking(f"{n:016x}", "API_BREAK") for n in range(10_000)))),
            Reason.TOO_MANY_FINDINGS,
            id="10,000 findings",
        ),
        pytest.param(
            asks(risk_statement="why not\u202e\x00" + " " * 40), Reason.RISK_STATEMENT_MISSING, id="no risk stated"
        ),
        pytest.param(
            asks(risk_statement=policy().risk_statement.template),
            Reason.RISK_STATEMENT_MISSING,
            id="template alone",
        ),
        pytest.param(
            asks(risk_statement=policy().risk_statement.template + "none"),
            Reason.RISK_STATEMENT_MISSING,
            id="template and a word",
        ),
        pytest.param(asks(risk_statement="x" * 1_000_000), Reason.TEXT_TOO_LONG, id="1 MB of risk"),
        pytest.param(asks(category=Category.MITIGATED), Reason.CONTROLS_MISSING, id="mitigated by nothing"),
        pytest.param(asks(category=Category.UNKNOWN), Reason.CATEGORY_UNKNOWN, id="unknown category"),
        pytest.param(asks(valid_until=NOON - 1), Reason.VALIDITY_IN_PAST, id="over already"),
        pytest.param(asks(valid_until=2**62), Reason.DURATION_TOO_LONG, id="for ever"),
        pytest.param(asks(single_use=False), Reason.WINDOW_NOT_ALLOWED, id="a window at high risk"),
    ],
)
def test_a_request_that_lacks_something_opens_nothing(ask: Trigger, reason: Reason) -> None:
    """The reason says what it lacks."""
    move = tell(ask)[-1]

    assert move.fact.reasons == (reason,)
    assert move.after is NEVER_ASKED


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ((asks(risk_statement="why not"),), "characters: 7 found, 20 needed"),
        ((asks(report=basis(verdict=Verdict.WARN, blocking=())),), "the verdict is WARN, findings that block: 0"),
        ((asks(single_use=False),), "the risk is HIGH"),
        (
            (asks(finding_ids=("f" * 16,)),),
            f"`{'f' * 16}` is not among those that block, HOST_TOO_OLD `{HOST_TOO_OLD.id}`",
        ),
        ((asks(finding_ids=()),), f"it names none of those that block, HOST_TOO_OLD `{HOST_TOO_OLD.id}`"),
        ((asks(), says(Person("x", "ALICE"), step="steward")), "who asked for it wants to decide it"),
        ((asks(), asks(WITHDRAWN, command_id="c-2", requester=BOB)), "somebody else asked for it"),
        (
            (
                asks(),
                says(BOB),
                says(BOB, at=NOON + 2 * MINUTE, step="security", roles=frozenset({"security-lead"})),
            ),
            "the same person approved step `steward`",
        ),
        (
            (*REVIEWED, says(SABINE, Verb.REVOKE, at=NOON + 2 * HOUR)),
            (
                "`revoked` is not possible in IN_REVIEW; "
                "`compat-guard deny` ends it, or `compat-guard exception withdraw` by the requester"
            ),
        ),
        (
            (*APPROVED, asks(WITHDRAWN, command_id="c-2", at=NOON + HOUR)),
            "`withdrawn` is not possible in APPROVED; `compat-guard exception revoke` ends it",
        ),
    ],
)
def test_a_refusal_tells_the_fact_of_the_case_or_the_way_out(story: Sequence[Trigger], said: str) -> None:
    """Its reason has a sentence for every case; what is said besides must be about this one."""
    assert tell(*story)[-1].fact.text == said


def test_of_many_findings_that_block_a_refusal_lists_the_first() -> None:
    """A refusal is read by people, and a report may have hundreds."""
    many = tuple(Blocking(f"{n:016x}", "API_BREAK") for n in range(9))

    text = tell(asks(report=basis(blocking=many), finding_ids=("f" * 16,)))[-1].fact.text

    assert text.count("API_BREAK") == 5
    assert text.endswith(" and 4 more")


def test_every_condition_of_a_use_that_fails_is_told_at_once() -> None:
    """Nobody should have to come back for the next one."""
    bare = wants_to_run(
        scope=Scope("other", "other", "1", "other", "1", "staging"),
        acknowledgement=None,
        plan=None,
        basis=basis(blocking=()),
    )

    assert set(tell(*APPROVED, bare)[-1].fact.reasons) == {
        Reason.TENANT_OUT_OF_SCOPE,
        Reason.PLUGIN_OUT_OF_SCOPE,
        Reason.VERSION_OUT_OF_SCOPE,
        Reason.HOST_OUT_OF_SCOPE,
        Reason.ENVIRONMENT_OUT_OF_SCOPE,
        Reason.REPORT_NOT_FRESH,
        Reason.RISK_NOT_ACKNOWLEDGED,
        Reason.MONITORING_PLAN_MISSING,
    }


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        pytest.param(
            wants_to_run(plan=Plan("basic", ("error-rate", "latency"), "x")),
            Reason.MONITORING_NOT_COVERING,
            id="less",
        ),
        pytest.param(
            wants_to_run(plan=Plan("enhanced", (), "x")), Reason.MONITORING_NOT_COVERING, id="a name only"
        ),
        pytest.param(wants_to_run(basis=basis(band=Band.CRITICAL)), Reason.BAND_RISEN, id="riskier than approved"),
        pytest.param(
            wants_to_run(basis=basis(blocking=(HOST_TOO_OLD, Blocking("f" * 16, "API_BREAK")))),
            Reason.FINDING_NOT_APPROVED,
            id="one finding more",
        ),
        pytest.param(wants_to_run(at=NOON + 8 * DAY), Reason.EXCEPTION_EXPIRED, id="after its end"),
        pytest.param(wants_to_run(stated_digest="sha256:0"), Reason.REPORT_NOT_FRESH, id="another report"),
        pytest.param(wants_to_run(operator="mallory"), Reason.RISK_NOT_ACKNOWLEDGED, id="acknowledged by another"),
    ],
)
def test_a_use_outside_of_what_was_approved_is_refused(use: Trigger, reason: Reason) -> None:
    """An approval covers what it was given for, at this moment, and nothing else."""
    assert tell(*APPROVED, use)[-1].fact.reasons == (reason,)


def test_a_second_request_cannot_use_what_is_spent() -> None:
    """A single use is one request."""
    assert tell(*APPROVED, wants_to_run(), wants_to_run(request_id="request-3"))[-1].fact.reasons == (
        Reason.ALREADY_USED,
    )


def test_the_same_request_with_another_target_is_another_use() -> None:
    """A repetition is the same question, not just the same id."""
    assert tell(*APPROVED, wants_to_run(), wants_to_run(target="cluster-8"))[-1].fact.reasons == (
        Reason.ALREADY_USED,
    )


def test_validity_is_the_smallest_of_all_limits() -> None:
    """Requester, approvers and band each limit it."""
    case = tell(asks(valid_until=NOON + 6 * DAY), says(BOB, valid_until=NOON + 2 * DAY), says(SABINE))[-1].after

    assert case.valid_until == NOON + 2 * DAY


def test_an_approver_may_demand_more_monitoring() -> None:
    """The stricter profile is what counts from then on."""
    stricter = (asks(), says(BOB, monitoring_profile="critical"), says(SABINE))

    assert tell(*stricter, wants_to_run())[-1].fact.reasons == (Reason.MONITORING_NOT_COVERING,)


def test_a_step_is_approved_even_at_the_moment_of_its_request() -> None:
    """A decision that waited for its request is judged in the same millisecond."""
    assert ends(asks(), says(BOB, at=NOON)) == ("step_approved", Status.IN_REVIEW, ())


def test_an_amendment_voids_the_approvals() -> None:
    """Whoever approved had approved something else."""
    case = tell(asks(), says(BOB), asks(AMENDED, command_id="c-2"))[-1].after

    assert case.approvals == ()


def test_a_new_round_keeps_the_history() -> None:
    """An earlier round stays readable, and its tokens stay spent."""
    again = tell(asks(), says(BOB, Verb.DENY), asks(command_id="c-2", at=NOON + 2 * MINUTE))[-1].after

    assert (again.round, [past.status for past in again.past]) == (2, [Status.REJECTED])
    assert [spent.jti for spent in again.spent] == ["command-1", says(BOB, Verb.DENY).decision.jti, "c-2"]


def test_changes_are_numbered_without_gaps() -> None:
    """A refusal is no change, and takes no number."""
    moves = tell(asks(), says(SABINE), says(BOB), says(SABINE), wants_to_run())

    assert [move.after.sequence for move in moves] == [1, 2, 2, 3, 4, 5]
