"""What pages say of refusals: in words, and never a command that somebody would have to type."""

from __future__ import annotations

import pytest
from examples.exceptions import refused

from processors.exception_workflow.rules.reasons import Reason, in_words
from processors.gateway.console.advice import refusal, why_on_pages, without_commands


@pytest.mark.parametrize("reason", Reason)
def test_no_refusal_names_a_command(reason: Reason) -> None:
    sentence = refusal(reason).sentence

    assert sentence[0].isupper()
    assert "compat-guard" not in sentence
    assert "--" not in sentence


@pytest.mark.parametrize("reason", Reason)
def test_the_history_says_a_reason_without_its_code(reason: Reason) -> None:
    said = why_on_pages(refused(reason, "what was found"))

    assert reason not in said
    assert "compat-guard" not in said
    assert said.endswith("(what was found)")


def test_a_clause_that_orders_a_command_is_left_out_and_the_rest_stays() -> None:
    said = "`use` is not possible in APPROVED; `compat-guard exception revoke` ends it; nothing was changed"

    assert without_commands(said) == "`use` is not possible in APPROVED; nothing was changed"
    assert without_commands("we wait; `corex` is upgraded on Friday") == "we wait; `corex` is upgraded on Friday"


def test_a_clause_that_is_left_out_closes_its_brackets() -> None:
    said = why_on_pages(
        refused(Reason.ILLEGAL_TRANSITION, "`use` is over; `compat-guard exception revoke` ends it")
    )

    assert said.endswith("(`use` is over)")


@pytest.mark.parametrize(
    "reason",
    ["Run the migration with --dry-run first", "no; `compat-guard plan` shows a way", "it is not approved"],
)
def test_what_a_person_said_stays_as_they_said_it(reason: str) -> None:
    assert why_on_pages(refused("", reason)) == reason


def test_a_text_of_nothing_but_commands_stays() -> None:
    assert without_commands("`compat-guard deny` ends it") == "`compat-guard deny` ends it"
    assert without_commands("`--dry-run` is no profile") == "`--dry-run` is no profile"


def test_a_code_of_a_newer_guard_is_shown_as_it_is() -> None:
    assert refusal("NOT_MINTED_YET").sentence == "NOT_MINTED_YET" == in_words("NOT_MINTED_YET")
