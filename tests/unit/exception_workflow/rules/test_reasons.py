"""Every refusal in words, for whoever reads it at night."""

from __future__ import annotations

import pytest
from examples.exceptions import NOON, policy, refused

from processors.client.exception_facts import why
from processors.exception_workflow.notify.notices import notices
from processors.exception_workflow.rules.reasons import SENTENCES, Reason, in_words
from processors.exception_workflow.rules.transitions import Fact, Move
from processors.exception_workflow.state.case import ExceptionCase


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    """One that is short, begins small behind its code, and does not end."""
    sentence = SENTENCES[reason]
    assert 15 < len(sentence) <= 100
    assert sentence[0].islower()
    assert sentence[-1] != "."


def test_a_code_of_a_newer_guard_stands_for_itself() -> None:
    """Old clients meet new reasons during a rollout."""
    assert in_words("MOON_IS_FULL") == "MOON_IS_FULL"


def test_whoever_is_refused_reads_why() -> None:
    """The code to search for, what it means, and what was said in the case at hand."""
    fact = Fact("refused", NOON, "c", "alice", reasons=(Reason.ALREADY_USED, Reason.NO_MFA), text="not covered")
    case = ExceptionCase(exception_id="e")
    told = {notice.recipient: notice.body for notice in notices(Move(case, case, fact), policy())}

    assert "ALREADY_USED: it was for one installation, which has happened" in told["alice"]
    assert (
        "NO_MFA: the login had one factor only; log in with a second factor, then decide (not covered)"
        in told["alice"]
    )


@pytest.mark.parametrize(
    ("code", "reason", "shown"),
    [
        ("", "", ""),
        ("", "the host is upgraded on Friday", "the host is upgraded on Friday"),
        ("NO_SUCH_EXCEPTION", "", in_words("NO_SUCH_EXCEPTION")),
        ("NO_MFA", "look: there", f"{in_words('NO_MFA')} (look: there)"),
        ("NO_MFA", "WRONG_STEP: no", f"{in_words('NO_MFA')}; {in_words('WRONG_STEP')} (no)"),
        ("WRONG_STEP", "it is `lead` now", f"{in_words('WRONG_STEP')} (it is `lead` now)"),
    ],
)
def test_a_decision_is_shown_with_its_reason(code: str, reason: str, shown: str) -> None:
    """As `exception show` lists it, and as a command that is refused ends."""
    assert why(refused(code, reason)) == shown
