"""A risk statement in the fields that its template asks for, each with a label of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple


class Prompt(NamedTuple):
    """A question of the template, and what was typed below it."""

    question: str
    answer: str = ""


def prompts_of(template: str, answers: Sequence[str] = ()) -> tuple[Prompt, ...]:
    """The lines of a template that end with a colon. A template that is written otherwise is one field, which it
    fills, and whoever asks writes into it."""
    lines = [line.strip() for line in template.splitlines() if line.strip()]
    if not lines or not all(line.endswith(":") for line in lines):
        return (Prompt("Risk statement", answers[0] if answers else template),)
    pairs = zip_longest(lines, answers[: len(lines)], fillvalue="")
    return tuple(Prompt(question.rstrip(": "), answer) for question, answer in pairs)


def answers_of(template: str, statement: str) -> tuple[str, ...]:
    """The inverse of `statement_of`: what was answered to each question. All of it is the first answer where the
    statement was written otherwise, so that nothing of it is lost."""
    questions = [prompt.question for prompt in prompts_of(template)]
    answers: dict[str, list[str]] = {}
    for line in statement.splitlines():
        question = line.removesuffix(":")
        if len(questions) > 1 and question != line and question in questions and question not in answers:
            answers[question] = []
        elif answers:
            answers[list(answers)[-1]].append(line)
        else:
            return (statement,)
    return tuple("\n".join(answers.get(question, ())) for question in questions)


def statement_of(template: str, answers: Sequence[str]) -> str:
    """The whole statement: each question that was answered, with its answer below it."""
    prompts = prompts_of(template, answers)
    if len(prompts) == 1:
        return prompts[0].answer.strip()
    answered = (prompt for prompt in prompts if prompt.answer.strip())
    return "\n".join(f"{prompt.question}:\n{prompt.answer.strip()}" for prompt in answered)
