"""Which result is the answer: the one to the question, never the one that happens to bear its id."""

from __future__ import annotations

from typing import Any

import pytest

from processors.client.known_questions import KnownQuestions
from processors.client.results import only
from processors.client.transport import QuestionUnclear
from processors.errors import SettingsInvalid
from processors.events.questions import Question, answered_by, asked_by
from processors.events.results import Result

SUBJECT = b"subject"
REQUEST: dict[str, Any] = {
    "request_id": "r-1",
    "tenant": "acme",
    "operator": "alice",
    "environment": "production",
    "target": "cluster-7",
    "action": "INSTALL",
    "exception_id": None,
    "recheck_of": None,
}
QUESTION = asked_by(REQUEST, SUBJECT)


def result(subject: bytes = SUBJECT, **more: Any) -> dict[str, Any]:
    return {**REQUEST, "report": {"input_digest": asked_by(REQUEST, subject).input_digest}, **more}


def given(**more: Any) -> Result:
    return Result(result(**more))


def test_a_result_answers_the_question_that_it_repeats() -> None:
    """Input, tenant, operator and all the rest."""
    assert answered_by(result()) == QUESTION


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(result(b"harmless"), id="another input"),
        *(pytest.param(result(**{name: "another"}), id=name) for name in REQUEST),
    ],
)
def test_a_result_of_another_question_under_the_id_is_no_answer(other: dict[str, Any]) -> None:
    """Each part of a question tells it from all others."""
    assert answered_by(other) != QUESTION
    assert answered_by(other).name != QUESTION.name


def test_one_question_under_an_id_needs_no_name() -> None:
    assert only("r-1", {QUESTION: (REQUEST, "it")}, None) is REQUEST
    assert only("r-1", {QUESTION: (REQUEST, "it")}, QUESTION.name) is REQUEST


def test_of_several_questions_under_an_id_none_is_taken_unless_it_is_named() -> None:
    """Whoever guesses could show a harmless answer for a block."""
    second = answered_by(result(b"harmless"))
    found: dict[Question, tuple[dict[str, Any], str]] = {QUESTION: (REQUEST, "mine"), second: ({}, "theirs")}

    with pytest.raises(QuestionUnclear, match=rf"--question {QUESTION.name}  mine\n  --question {second.name}"):
        only("r-1", found, None)
    assert only("r-1", found, QUESTION.name) is REQUEST
    with pytest.raises(SettingsInvalid, match="`nonsense`"):
        only("r-1", found, "nonsense")


def test_whoever_watches_sees_that_an_id_was_used_for_another_question() -> None:
    known = KnownQuestions(most=2)

    assert not known.is_another(given())
    assert known.is_another(given(operator="mallory"))
    assert not known.is_another(given())
    for number in range(3):
        known.is_another(given(request_id=f"r-{number + 2}"))
    assert not known.is_another(given(operator="mallory")), "an id that was forgotten begins anew"
