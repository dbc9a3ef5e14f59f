"""What is remembered answers with the very bytes that a fresh look would give."""

from __future__ import annotations

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
from processors.events.topics import INSTALL_REQUESTS, MATRIX_REFRESHES, RESULTS, SECURITY_POLICIES
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


def a_request(id: str, question: Question, asker: dict[str, Any]) -> Inbound:
    envelope = {
        "request_id": id, "requested_at": NOON, "environment": "production", "target": "t", "action": "INSTALL",
        "acknowledgement": None, "monitoring": None, "recheck_of": None, **asker,
    }  # fmt: skip
    value = ENCODE({**envelope, "subject": subject_to_record(question.subject)})
    return record(INSTALL_REQUESTS, 0, "p", value)


def answers(checker: Checker, request: Inbound, question: Question, now: int) -> list[Outbound]:
    tables: dict[str, Any] = {MATRIX_REFRESHES: question.matrix, SECURITY_POLICIES: question.policies}
    outcome = checker.handle([request], FixedView(now, {}, tables))
    assert outcome.rejects == []
    return outcome.outputs


@settings(max_examples=40)
@given(asked=st.lists(st.tuples(questions, askers), min_size=1, max_size=3), later=st.integers(0, YEAR))
def test_a_question_that_recurs_is_answered_as_if_it_were_new(
    asked: list[tuple[Question, dict[str, Any]]], later: int
) -> None:
    """By whomever, whatever was asked between, under whichever matrix, and after dates have passed."""
    remembers = Checker(CODEC, SEALS)
    for now in (NOON, NOON, NOON + later, NOON + later):
        for question, asker in asked:
            for id in ("first", "another"):
                request = a_request(id, question, asker)
                fresh = answers(Checker(CODEC, SEALS), request, question, now)
                assert answers(remembers, request, question, now) == fresh


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
