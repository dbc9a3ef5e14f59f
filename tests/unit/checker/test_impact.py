"""What changes between answers: told by facts, counted by questions, with the newest request as the example."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.checker.impact import Impact, difference
from processors.errors import EventUnreadable
from processors.events.report import Demand, Finding, Report, Risk
from processors.events.vocabulary import Band, Code, Dimension, Effect, Severity, Verdict

ALLOW, WARN, BLOCK = Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK


def a_finding(code: Code, effect: Effect = Effect.BLOCK) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.MATRIX,
        effect=effect,
        severity=Severity.MAJOR,
        subject="crm",
        object="corex",
        required=Demand(constraint=""),
    )


def a_report(verdict: Verdict, *findings: Finding, plugin: str = "crm") -> Report:
    return Report(
        engine="1",
        input_digest="",
        basis_digest="",
        plugin_id=plugin,
        plugin_version="1.0.0",
        host="corex",
        host_version="1.9.0",
        dialect="npm",
        verdict=verdict,
        summary="",
        findings=findings,
        risk=Risk(0, Band.NONE),
    )


OLD, ROW, WARNED = (
    a_finding(Code.HOST_TOO_OLD),
    a_finding(Code.MATRIX_BLOCK),
    a_finding(Code.MATRIX_WARN, Effect.WARN),
)


def test_findings_go_and_come_by_what_they_are_about() -> None:
    found = difference(a_report(BLOCK, OLD, ROW), a_report(BLOCK, ROW, WARNED))

    assert (found.gone, found.come) == ((OLD,), (WARNED,))


def test_equal_reports_do_not_differ() -> None:
    assert difference(a_report(BLOCK, OLD), a_report(BLOCK, OLD))[2:] == ((), ())


def test_a_warning_that_blocks_now_is_another_finding() -> None:
    """Its id is the same, because an approval names it; what it does is not."""
    mild, hard = a_finding(Code.MATRIX_UNLISTED, Effect.WARN), a_finding(Code.MATRIX_UNLISTED)

    found = difference(a_report(WARN, mild), a_report(BLOCK, hard))

    assert mild.id == hard.id
    assert (found.gone, found.come, found.first) == ((mild,), (hard,), hard)


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        pytest.param(a_report(ALLOW), a_report(BLOCK, WARNED, ROW), ROW, id="what blocks is named first"),
        pytest.param(a_report(ALLOW), a_report(WARN, WARNED), WARNED, id="what warns"),
        pytest.param(a_report(BLOCK, WARNED, OLD), a_report(ALLOW), OLD, id="what blocks no longer"),
        pytest.param(a_report(BLOCK, OLD), a_report(WARN, WARNED), OLD, id="milder: what has gone says why"),
        pytest.param(a_report(ALLOW), a_report(ALLOW), None, id="nothing"),
    ],
)
def test_the_first_difference_says_why(before: Report, after: Report, first: Finding | None) -> None:
    assert difference(before, after).first == first


QUESTIONS: Mapping[bytes, tuple[Report, Report]] = {
    b"same": (a_report(ALLOW), a_report(ALLOW)),
    b"hit": (a_report(ALLOW), a_report(BLOCK, ROW)),
    b"hit elsewhere": (a_report(ALLOW), a_report(BLOCK, ROW)),
    b"freed": (a_report(BLOCK, OLD, plugin="chat"), a_report(ALLOW, plugin="chat")),
}


def judge(subject: bytes) -> tuple[Report, Report]:
    if subject not in QUESTIONS:
        raise EventUnreadable("body", "it cannot be read")
    return QUESTIONS[subject]


def told(impact: Impact) -> str:
    return json.dumps(
        [[*change.place, change.subjects, change.requests, change.example] for change in impact.changes()]
    )


def test_a_question_counts_once_and_its_newest_request_is_the_example() -> None:
    impact = Impact(judge)
    for n, (subject, at) in enumerate([(b"hit", 5), (b"hit", 9), (b"hit", 7), (b"same", 8), (b"hit elsewhere", 6)]):
        impact.take(subject, subject, f"request-{n}", at)

    (change,) = impact.changes()
    assert (change.subjects, change.requests, change.example) == (2, 4, "request-1")
    assert (change.place.plugin_id, change.place.host, change.finding) == ("crm", "corex", ROW)
    assert (impact.requests, impact.subjects, impact.counts()) == (5, 3, {(ALLOW, BLOCK): 2})


def test_what_would_be_blocked_comes_first() -> None:
    """However many others would be freed."""
    impact = Impact(judge)
    for n, subject in enumerate([b"freed", b"freed", b"hit"]):
        impact.take(subject, subject, str(n), n)

    assert [change.place.after for change in impact.changes()] == [BLOCK, ALLOW]


def test_a_question_is_judged_once() -> None:
    """However often it was asked: that is what makes a long replay quick."""
    judged: list[bytes] = []

    def judging(subject: bytes) -> tuple[Report, Report]:
        judged.append(subject)
        return judge(subject)

    impact = Impact(judging)
    for n in range(3):
        impact.take(b"hit", b"hit", str(n), n)

    assert judged == [b"hit"]


def test_an_unreadable_question_is_counted_and_changes_nothing() -> None:
    impact = Impact(judge)
    impact.take(b"x", b"x", "1", 1)

    assert (impact.requests, impact.unreadable, impact.subjects, impact.changes()) == (1, 1, 0, [])


def test_beyond_the_bound_new_questions_are_left_out_and_known_ones_count() -> None:
    """Memory has an end, and the reader is told."""
    impact = Impact(judge, most=1)
    for n, subject in enumerate([b"hit", b"freed", b"hit"]):
        impact.take(subject, subject, str(n), n)

    (change,) = impact.changes()
    assert (change.requests, impact.subjects, impact.left_out, impact.is_complete) == (2, 1, 1, False)


@settings(max_examples=50, deadline=None)
@given(st.permutations([(subject, str(n), n) for n, subject in enumerate([*QUESTIONS, *QUESTIONS, b"hit"])]))
def test_the_order_of_requests_does_not_matter(requests: list[tuple[bytes, str, int]]) -> None:
    """Partitions are read as they come."""
    impact, other = Impact(judge), Impact(judge)
    for subject, id, at in requests:
        impact.take(subject, subject, id, at)
    for subject, id, at in sorted(requests):
        other.take(subject, subject, id, at)

    assert told(impact) == told(other)
