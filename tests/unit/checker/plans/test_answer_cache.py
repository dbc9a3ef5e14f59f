"""A search that knows what others have asked gives the same report, and ends at the same effort."""

from __future__ import annotations

import itertools
from dataclasses import replace

from examples import questions as ask
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.checker.case import read_case
from processors.checker.check import check
from processors.checker.plans.answer_cache import AnswerCache
from processors.checker.plans.effort import Effort
from processors.events.subject import Host, InstalledPlugin, Lifecycle, Manifest, Requirement, Subject
from processors.events.vocabulary import Code, Verdict
from processors.matrix.document import HostDeclaration
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Policies

DAY = 24 * HOUR
CRM = Manifest(id="crm", version="1.0.0", host_range=">=3.0.0", runtimes=())
THERE = tuple(InstalledPlugin(f"p{n}", "1.0.0", requires=(Requirement("p0"),)) for n in range(4))
BLOCKED = Subject(manifest=CRM, host=Host("corex", "2.0.0"), installed=THERE)


def a_matrix(*blocked: str, expires: int = NOON + DAY) -> Matrix:
    """One that knows a host on which the plugin fits, and plugins that must not run there."""
    rows = (a_rule("*", action="allow"), *(a_rule(id, action="block", host_range=">=3.0.0") for id in blocked))
    document = a_document(*rows, releases=(a_release("crm", "1.0.0"),))
    hosts = {"corex": HostDeclaration("corex", "npm", ("2.0.0", "3.0.0"))}
    return Matrix.of([(replace(document, hosts=hosts), NOON - HOUR, expires)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ask.subjects, min_size=1, max_size=4),
    st.lists(ask.matrices, min_size=1, max_size=2),
    st.lists(ask.policies, min_size=1, max_size=2),
    st.lists(st.integers(-2 * DAY, 2 * DAY), min_size=1, max_size=2),
)
def test_whatever_was_asked_before_every_report_is_that_of_a_fresh_search(
    subjects: list[Subject], matrices: list[Matrix], policies: list[Policies], later: list[int]
) -> None:
    before = AnswerCache()
    for matrix, accepted, more in itertools.product(matrices, policies, (0, 0, *later)):
        for subject in subjects:
            known = check(subject, matrix, NOON + more, "sha256:0", accepted, before)
            assert known == check(subject, matrix, NOON + more, "sha256:0", accepted)


def test_what_a_search_asks_again_is_remembered() -> None:
    before, matrix = AnswerCache(), a_matrix()
    report = check(BLOCKED, matrix, NOON, "sha256:0", NO_POLICIES, before).report
    held = before.held()
    assert report.verdict is Verdict.BLOCK
    assert held

    another = replace(BLOCKED, manifest=replace(CRM, version="1.1.0"))
    check(another, matrix, NOON, "sha256:0", NO_POLICIES, before)

    assert before.held() == held, "the same plugins, beside the same ones, on the same hosts"


def test_a_question_that_was_asked_before_takes_the_same_effort() -> None:
    case = read_case(BLOCKED, a_matrix(), NO_POLICIES, NOON)
    question = replace(BLOCKED, manifest=Manifest(id="p1", version="1.0.0", requires=THERE[1].requires))
    before, asked = AnswerCache(), []
    for known in (None, before, before):
        effort = Effort(case, 1000)
        asked.append((effort.blocking(question, known), effort.left))

    assert before.held()
    assert asked[0] == asked[1] == asked[2]
    assert asked[0][1] < 1000


def test_another_matrix_and_a_date_that_passes_are_seen() -> None:
    before = AnswerCache()
    for matrix, now in (
        (a_matrix(), NOON),
        (a_matrix("p2"), NOON),
        (a_matrix(expires=NOON + HOUR), NOON),
        (a_matrix(expires=NOON + HOUR), NOON + HOUR),
        (a_matrix(expires=NOON + HOUR), NOON),
    ):
        known = check(BLOCKED, matrix, now, "sha256:0", NO_POLICIES, before)
        assert known == check(BLOCKED, matrix, now, "sha256:0")


def test_a_question_with_dates_of_its_own_is_not_remembered() -> None:
    before, case = AnswerCache(), read_case(BLOCKED, a_matrix(), NO_POLICIES, NOON)
    ending = replace(CRM, host_range=None, lifecycle=Lifecycle("sunset", NOON + HOUR, None, ""))
    question = replace(BLOCKED, manifest=ending)

    for now, ended in ((NOON, False), (NOON + HOUR, True)):
        codes = {finding.code for finding in before.blocking(question, replace(case, now=now)).findings}
        assert (Code.LIFECYCLE_SUNSET in codes) is ended
    assert not before.held()


def test_memory_is_bounded_however_much_a_plugin_says() -> None:
    before, case = AnswerCache(kept=100_000), read_case(BLOCKED, a_matrix(), NO_POLICIES, NOON)
    for n in range(300):
        talker = InstalledPlugin(f"t{n}", "1.0.0", requires=(Requirement("x" * 1000, optional=True),))
        before.blocking(replace(BLOCKED, manifest=Manifest(id="q", version="1.0.0"), installed=(talker,)), case)

    assert 0 < before.held() <= 200_000
