"""What is remembered answers with the very bytes that a fresh look would give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract.case import FixedView, record
from examples import questions as ask
from examples.matrices import a_document, a_rule
from examples.questions import HOUR, NOON, Question
from examples.sealing import SEALS
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.checker.memory import Memory
from processors.checker.processor import Checker
from processors.configuration.settings import shipped
from processors.events.subject import Host, Lifecycle, Manifest, Subject
from processors.events.subject_record import subject_to_record
from processors.events.topics import (
    BLOCKS,
    INSTALL_REQUESTS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
    RESULTS,
    SECURITY_POLICIES,
)
from processors.events.vocabulary import Verdict
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.types import Inbound, Outbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
ENCODE = CODEC.encoder(INSTALL_REQUESTS, "InstallRequested")
DECODE = CODEC.decoder(RESULTS, "CompatibilityChecked")
YEAR = 366 * 86_400_000

MATRIX = Matrix.of([(a_document(a_rule("*", action="allow", host="corex")), NOON, NOON + YEAR)])
NOTHING = Lifecycle()
ENDING = Lifecycle("active", None, NOON + HOUR, "")


def a_manifest(version: str = "1.0.0", lifecycle: Lifecycle = NOTHING) -> Manifest:
    return Manifest(id="com.acme.crm", version=version, host_range=">=1.0.0", runtimes=(), lifecycle=lifecycle)


def a_fitting(manifest: Manifest) -> Question:
    return Question(Subject(manifest=manifest, host=Host("corex", "2.0.0")), MATRIX, NO_POLICIES)


fitting = st.builds(
    lambda version, lifecycle: a_fitting(a_manifest(version, lifecycle)),
    st.sampled_from(["1.0.0", "1.1.0"]),
    st.sampled_from([NOTHING, ENDING]),
)
questions = ask.questions | fitting | fitting
names = st.sampled_from(["", "acme", "globex", "ünïcödé", "x" * 70])
exceptions = st.none() | st.just("e-1")
askers = st.fixed_dictionaries({"tenant": names, "operator": names, "exception_id": exceptions})


def a_request(id: str, question: Question, asker: dict[str, Any], at: int = NOON) -> Inbound:
    envelope = {
        "request_id": id, "requested_at": NOON, "environment": "production", "target": "t", "action": "INSTALL",
        "acknowledgement": None, "monitoring": None, "recheck_of": None, **asker,
    }  # fmt: skip
    value = ENCODE({**envelope, "subject": subject_to_record(question.subject)})
    return replace(record(INSTALL_REQUESTS, 0, "p", value), timestamp=at)


def answers(checker: Checker, request: Inbound, question: Question, now: int) -> list[Outbound]:
    tables: dict[str, Any] = {MATRIX_REFRESHES: question.matrix, SECURITY_POLICIES: question.policies}
    outcome = checker.handle([request], FixedView(now, {}, tables))
    assert outcome.rejects == []
    return outcome.outputs


def a_checker() -> Checker:
    """One that tells all it may: what it tells of a report depends on the report alone."""
    return Checker(
        CODEC, SEALS, pages="https://guard.example", may_be_excepted=lambda report: report.verdict is Verdict.BLOCK
    )


@settings(max_examples=40)
@given(asked=st.lists(st.tuples(questions, askers), min_size=1, max_size=3), later=st.integers(0, YEAR))
def test_a_question_that_recurs_is_answered_as_if_it_were_new(
    asked: list[tuple[Question, dict[str, Any]]], later: int
) -> None:
    """By whomever, whatever was asked between, under whichever matrix, and after dates have passed."""
    remembers = a_checker()
    for now in (NOON, NOON, NOON + later, NOON + later):
        for question, asker in asked:
            for id in ("first", "another"):
                request = a_request(id, question, asker, at=now)
                fresh = answers(a_checker(), request, question, now)
                assert answers(remembers, request, question, now) == fresh


def test_an_answer_says_when_and_until_when_and_where() -> None:
    """The time is the broker's of the request, not the checker's: after a crash it is the same."""
    blocked = a_fitting(a_manifest())._replace(matrix=Matrix.EMPTY)
    request = a_request("r 1", blocked, {"tenant": "acme", "operator": "alice", "exception_id": None})
    result, block, notice = answers(a_checker(), request, blocked, NOON + HOUR)
    told = {
        "decided_at": NOON,
        "report_url": "https://guard.example/requests/r%201",
        "matrix_expires_at": None,
        "exception_possible": True,
        "plugin_name": "",
    }

    assert told.items() <= DECODE(result.value).items()
    assert told.items() <= CODEC.decoder(BLOCKS, "InstallBlocked")(block.value).items()
    assert CODEC.decoder(NOTIFICATIONS, "NotificationRequested")(notice.value)["link"] == told["report_url"]

    named = a_fitting(replace(a_manifest(), name="CRM"))
    asked = a_request("r", named, {"tenant": "", "operator": "", "exception_id": None})
    (allowed,) = answers(a_checker(), asked, named, NOON + HOUR)
    said = DECODE(allowed.value)
    assert (said["plugin_name"], said["matrix_expires_at"]) == ("CRM", NOON + YEAR)
    assert said["exception_possible"] is False


def test_another_matrix_judges_anew() -> None:
    """The bytes of the question are the same, and what is remembered is of no use any more."""
    question = a_fitting(a_manifest())
    checker = Checker(CODEC, SEALS)
    request = a_request("r", question, {"tenant": "acme", "operator": "alice", "exception_id": None})
    verdicts = [
        DECODE(answers(checker, request, question._replace(matrix=matrix), NOON)[0].value)["verdict"]
        for matrix in (MATRIX, MATRIX, Matrix.EMPTY, MATRIX)
    ]
    assert verdicts == ["ALLOW", "ALLOW", "BLOCK", "ALLOW"]


def test_a_memory_drops_what_was_not_asked_for_and_keeps_what_was() -> None:
    memory: Memory[int] = Memory(kept=100)
    memory.keep(b"often", 0, 10)
    for n in range(1, 100):
        memory.keep(b"%d" % n, n, 10)
        assert memory.get(b"often") == 0
        assert memory.held() <= 200

    assert memory.get(b"1") is None
    assert memory.get(b"99") == 99
