"""The state machine against a model of it that holds one word: nothing leads where the table does not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from examples.exceptions import (
    BOB,
    HOUR,
    LENA,
    NEVER_ASKED,
    NOON,
    REPORT,
    SABINE,
    asks,
    basis,
    confirms,
    policy,
    says,
    tells,
    wants_to_run,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from processors.events.exceptions import CommandKind, Status
from processors.events.outcomes import InstallOutcome, MonitoringStatus
from processors.events.vocabulary import Band, Verdict
from processors.exception_workflow.diagram import draw
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.rechecks import recheck_id
from processors.exception_workflow.rules.transitions import OVER, TABLE, Move, catch_up, decide, reported
from processors.exception_workflow.rules.triggers import On, Reported, Trigger, UseReported
from processors.exception_workflow.state.case import ExceptionCase, decode, encode

README = Path(__file__).parents[3] / "processors" / "exception_workflow" / "README.md"
SEEN: Counter[On] = Counter()
FINAL = OVER - {Status.CONSUMED}

MODEL: dict[tuple[str, str], set[str]] = {
    # Design, section 7: from, on, to. "*" stands for the status that was there.
    ("PENDING IN_REVIEW", "amended"): {"PENDING", "CHECKING"},
    ("CHECKING", "guard's answer"): {"PENDING", "REJECTED", "VOIDED"},
    ("PENDING IN_REVIEW", "approval of a step"): {"IN_REVIEW", "APPROVED"},
    ("PENDING IN_REVIEW", "denial"): {"REJECTED"},
    ("CHECKING PENDING IN_REVIEW", "withdrawn"): {"WITHDRAWN"},
    ("CHECKING PENDING IN_REVIEW", "installation cancelled"): {"WITHDRAWN"},
    ("PENDING IN_REVIEW", "SLA timer"): {"*"},
    ("CHECKING PENDING IN_REVIEW", "request too old"): {"LAPSED"},
    ("APPROVED", "use"): {"CONSUMED", "APPROVED"},
    ("APPROVED", "matrix refreshed"): {"APPROVED"},
    ("APPROVED", "re-check"): {"APPROVED", "NEEDS_REVIEW", "VOIDED"},
    ("APPROVED CONSUMED", "monitoring missing or lost"): {"NEEDS_REVIEW"},
    ("APPROVED NEEDS_REVIEW", "extension asked"): {"IN_REVIEW"},
    ("APPROVED NEEDS_REVIEW", "revoked"): {"REVOKED"},
    ("APPROVED", "valid_until passed"): {"EXPIRED"},
    ("APPROVED", "heads-up"): {"*"},
    (
        " ".join(status for status in Status if status is not Status.UNKNOWN),
        "outcome",
    ): {"*"},
    ("UNKNOWN CONSUMED REJECTED WITHDRAWN LAPSED VOIDED REVOKED EXPIRED", "requested"): {"CHECKING"},
}


def allowed(before: str, on: str) -> set[str]:
    """Where the model lets a trigger lead, from a status."""
    targets = next((to for (sources, name), to in MODEL.items() if name == on and before in sources.split()), set())
    return {before if target == "*" else target for target in targets}


class Life(RuleBasedStateMachine):
    """One exception, to which anything may happen at any time."""

    case: ExceptionCase = NEVER_ASKED
    now: int = NOON
    number: int = 0

    @initialize()
    def begins(self) -> None:
        self.case, self.now, self.number = NEVER_ASKED, NOON, 0

    def happens(self, trigger: Trigger) -> None:
        for move in catch_up(self.case, policy(), trigger.at):
            self.check(move, move.fact.event)
        judged = reported(self.case, trigger, policy()) if isinstance(trigger, Reported) else trigger
        if isinstance(judged, UseReported):
            judged = replace(judged, confirms=self.case.status is Status.CHECKING)
        SEEN[judged.on] += 1
        self.check(decide(self.case, judged, policy()), judged.on)

    def check(self, move: Move, on: str) -> None:
        before, after = move.before, move.after
        self.case = after
        if not move.changed:
            assert move.fact.reasons or move.fact.event in ("already_open", "repeated", "used_again")
            return
        assert not move.fact.reasons or move.fact.event == "unconfirmed"
        assert after.sequence == before.sequence + 1
        if on in set(On):
            assert after.status.value in allowed(before.status.value, on)

    def next(self) -> str:
        self.number += 1
        return f"id-{self.number}"

    @rule(hours=st.sampled_from([1, 3, 7, 25, 24 * 4, 24 * 8]))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR
        for move in catch_up(self.case, policy(), self.now):
            self.check(
                move,
                {"reminded": On.SLA_TIMER, "lapsed": On.TOO_OLD, "expired": On.VALIDITY_OVER}.get(
                    move.fact.event, "clock"
                ),
            )

    @rule(kind=st.sampled_from([CommandKind.REQUESTED, CommandKind.AMENDED, CommandKind.EXTENSION_REQUESTED]))
    def somebody_asks(self, kind: CommandKind) -> None:
        self.happens(asks(kind, at=self.now, command_id=self.next()))

    @rule(window=st.booleans(), digest=st.sampled_from([REPORT, REPORT, "another"]))
    def somebody_asks_at_low_risk(self, window: bool, digest: str) -> None:
        low = basis(band=Band.LOW, digest=digest)
        more = {"single_use": not window, "report_digest": digest}
        self.happens(asks(at=self.now, command_id=self.next(), report=low, **more))

    @precondition(lambda self: self.case.status is Status.CHECKING)
    @rule(truly=st.booleans())
    def the_guard_answers(self, truly: bool) -> None:
        said = basis(band=self.case.band, digest=self.case.report_digest if truly else "something else")
        self.happens(confirms(self.case, self.now, said))

    @precondition(lambda self: self.case.status in (Status.CHECKING, Status.PENDING, Status.IN_REVIEW))
    @rule()
    def requester_withdraws(self) -> None:
        self.happens(asks(CommandKind.WITHDRAWN, at=self.now, command_id=self.next()))

    @rule(
        step=st.sampled_from(["steward", "security"]),
        verb=st.sampled_from([Verb.APPROVE] * 4 + [Verb.DENY, Verb.REVOKE]),
    )
    def somebody_decides(self, step: str, verb: Verb) -> None:
        person = BOB if step == "steward" else SABINE
        self.happens(says(person, verb, at=self.now, step=step, jti=self.next()))

    @rule(installed=st.booleans())
    def everybody_agrees(self, installed: bool) -> None:
        self.happens(asks(at=self.now, command_id=self.next()))
        if self.case.status is Status.CHECKING:
            self.happens(confirms(self.case, self.now, basis(digest=self.case.report_digest)))
        for person in (BOB, SABINE):
            self.happens(says(person, at=self.now, jti=self.next()))
        if installed:
            self.happens(wants_to_run(at=self.now, request_id=self.next()))

    @rule(again=st.booleans(), wider=st.booleans())
    def somebody_installs(self, again: bool, wider: bool) -> None:
        request = f"request-{self.number}" if again else self.next()
        self.happens(
            wants_to_run(at=self.now, request_id=request, basis=basis(band=Band.CRITICAL if wider else Band.LOW))
        )

    @rule(blocking=st.booleans(), risen=st.booleans())
    def checker_answers_a_recheck(self, blocking: bool, risen: bool) -> None:
        fresh = basis(band=Band.CRITICAL if risen else Band.LOW)
        none = basis(blocking=(), verdict=Verdict.ALLOW)
        answer = fresh if blocking else none
        id = recheck_id(self.case)
        self.happens(wants_to_run(at=self.now, recheck_of="request-1", request_id=id, basis=answer))

    @rule(
        outcome=st.sampled_from(list(InstallOutcome)),
        monitoring=st.sampled_from(list(MonitoringStatus)),
        request=st.sampled_from(["request-1", "of the last use"]),
    )
    def rollout_reports(self, outcome: InstallOutcome, monitoring: MonitoringStatus, request: str) -> None:
        ran = self.case.executions[-1].request_id if self.case.executions else "none"
        id = request if request == "request-1" else ran
        self.happens(
            tells(at=self.now, outcome_id=self.next(), outcome=outcome, monitoring=monitoring, request_id=id)
        )

    @precondition(lambda self: self.case.status in (Status.CHECKING, Status.PENDING, Status.IN_REVIEW))
    @rule()
    def installation_is_cancelled(self) -> None:
        self.happens(
            tells(
                at=self.now,
                outcome_id=self.next(),
                outcome=InstallOutcome.CANCELLED,
                request_id=self.case.request_id,
            )
        )

    @precondition(lambda self: self.case.status in (Status.APPROVED, Status.CONSUMED) and self.case.executions)
    @rule()
    def monitoring_is_lost(self) -> None:
        id = self.case.executions[-1].request_id
        self.happens(tells(at=self.now, outcome_id=self.next(), monitoring=MonitoringStatus.LOST, request_id=id))

    @invariant()
    def what_is_approved_was_approved_by_enough_people(self) -> None:
        if self.case.status in (Status.APPROVED, Status.CONSUMED):
            people = {approval.person for approval in self.case.approvals}
            flow = policy().flow(self.case.band)
            assert len(people) >= sum(policy().thresholds[step.threshold].approve for step in flow)
            assert self.case.approval_id
            assert LENA not in people

    @invariant()
    def a_single_use_is_used_once(self) -> None:
        assert not (self.case.single_use and self.case.uses > 1)

    @invariant()
    def it_never_lasts_longer_than_its_band_permits(self) -> None:
        case = self.case
        if case.valid_until is not None and case.granted_at is not None:
            assert case.valid_until - case.granted_at <= policy().max_validity(case.band)

    @invariant()
    def the_changelog_brings_it_back(self) -> None:
        assert decode(encode(self.case), self.case.subject) == self.case


def test_anything_at_any_time_follows_the_table() -> None:
    """And the generator reaches every row, else this would prove nothing."""
    from hypothesis.stateful import run_state_machine_as_test

    SEEN.clear()
    of = settings(
        max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    clocks = {On.SLA_TIMER, On.TOO_OLD, On.VALIDITY_OVER, On.HEADS_UP, On.RECHECK_SENT}
    for _ in range(6):  # a rare row is missed by one walk in thirty
        run_state_machine_as_test(Life, settings=of)
        if set(On) - set(SEEN) <= clocks:
            return
    assert set(On) - set(SEEN) <= clocks


def test_the_table_is_the_design() -> None:
    """Row by row, status by status."""
    table = {
        (source.value, on.value): {source.value} if row.stays else {target.value for target in row.targets}
        for on, row in TABLE.items()
        for source in row.sources
    }

    assert table == {(source, on): allowed(source, on) for (sources, on) in MODEL for source in sources.split()}


@pytest.mark.parametrize("on", list(On))
def test_no_trigger_leads_out_of_a_final_status_but_a_new_request(on: On) -> None:
    """What is over stays over; outcomes of what ran are still written down."""
    row = TABLE[on]

    assert on is On.REQUESTED or row.stays or not row.sources & FINAL


def test_the_readme_shows_the_table_as_it_is() -> None:
    """`python -m processors.exception_workflow.diagram` draws it."""
    shown = re.search(r"```mermaid\n(.*?)```", README.read_text(), re.DOTALL)

    assert shown is not None
    assert shown[1] == draw()
