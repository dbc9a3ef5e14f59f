"""The fields of a risk statement are what its template asks for, and say the same as the template filled in."""

from __future__ import annotations

import pytest
from examples.exceptions import policy

from processors.client.exception_commands import slip_in
from processors.client.transport import Wanted
from processors.exception_workflow.rules.reasons import Reason
from processors.gateway.console.prompts import Prompt, answers_of, prompts_of, statement_of

TEMPLATE = "What breaks:\nHow we go back:\n"
SHIPPED = policy().risk_statement.template


def test_each_line_of_a_template_is_a_field() -> None:
    assert prompts_of(TEMPLATE, ["the shop"]) == (Prompt("What breaks", "the shop"), Prompt("How we go back", ""))


def test_a_statement_has_the_questions_that_were_answered() -> None:
    assert statement_of(TEMPLATE, ["  ", "by the old version\n"]) == "How we go back:\nby the old version"
    assert statement_of(TEMPLATE, ["a", "b", "c"]) == "What breaks:\na\nHow we go back:\nb"


@pytest.mark.parametrize("template", ["", "Say what you know.\nAnd what not.\n"])
def test_a_template_that_asks_nothing_is_one_field(template: str) -> None:
    assert prompts_of(template) == (Prompt("Risk statement", template),)
    assert statement_of(template, [f"{template}we know nothing"]) == f"{template}we know nothing".strip()


def test_only_answers_count_as_said() -> None:
    """What the workflow would refuse is known before it is sent, with the same count."""
    short = slip_in(Wanted(risk=statement_of(SHIPPED, ["it is late"])), policy())
    enough = slip_in(Wanted(risk=statement_of(SHIPPED, ["it is late", "and nobody is here"])), policy())

    assert short is not None
    assert short.reasons == (Reason.RISK_STATEMENT_MISSING,)
    assert short.text == "characters: 10 found, 20 needed"
    assert enough is None


def test_the_shipped_template_asks_for_no_field_that_the_form_has_besides() -> None:
    """What limits the damage is a list of its own, so nobody is asked for it twice."""
    assert not any("limit" in prompt.question for prompt in prompts_of(SHIPPED))
    assert len(prompts_of(SHIPPED)) > 1


@pytest.mark.parametrize("answers", [["the shop", "by\n\nthe old version"], ["", "by hand"], ["the shop", ""]])
def test_a_statement_is_put_back_into_its_fields(answers: list[str]) -> None:
    """So that the next round begins with the words of the last one."""
    assert answers_of(TEMPLATE, statement_of(TEMPLATE, answers)) == tuple(answers)


@pytest.mark.parametrize("statement", ["We know.\nWhat breaks:\nthe shop", "It cannot wait."])
def test_a_statement_that_was_written_otherwise_is_kept_whole(statement: str) -> None:
    assert answers_of(TEMPLATE, statement) == (statement,)
    assert answers_of("Say what you know.", statement) == (statement,)
