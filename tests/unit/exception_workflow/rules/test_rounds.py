"""What is new in a second round, as its approver sees it."""

from __future__ import annotations

from examples.exceptions import ALICE, BOB, MINUTE, NEVER_ASKED, NOON, asks, basis, confirms, policy, says

from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.rounds import Difference, differences
from processors.exception_workflow.rules.transitions import decide
from processors.exception_workflow.rules.triggers import Commanded, Trigger
from processors.exception_workflow.state.case import ExceptionCase, decode, encode

AGAIN = NOON + 2 * MINUTE


def after(*story: Trigger) -> ExceptionCase:
    case = NEVER_ASKED
    for trigger in story:
        case = decide(case, trigger, policy()).after
        if isinstance(trigger, Commanded):
            case = decide(case, confirms(case, trigger.at, trigger.basis), policy()).after
    return case


def second(**more: object) -> ExceptionCase:
    """Asked for once more, after a denial."""
    return after(asks(), says(BOB, Verb.DENY), asks(command_id="c-2", at=AGAIN, **more))


def test_a_first_round_has_nothing_to_be_held_against() -> None:
    assert differences(after(asks())) == ()


def test_the_same_request_again_differs_in_nothing() -> None:
    case = second()

    assert (case.round, case.before is not None) == (2, True)
    assert differences(case) == ()


def test_other_words_and_limits_are_shown_beside_the_old_ones() -> None:
    said = "The vendor has confirmed in writing that this release runs on our host; a rollback is prepared."
    case = second(risk_statement=said, compensating_controls=("one cluster only",))
    before = after(asks()).asked

    found = differences(case)
    assert Difference("reason", before.risk_statement, said) in found
    assert Difference("limit", "", "one cluster only") in found
    assert {Difference("limit", control, "") for control in before.controls} <= set(found)


def test_what_was_asked_before_survives_the_changelog() -> None:
    case = second()
    held = decode(encode(case), case.subject)

    assert held == case
    assert isinstance(held, ExceptionCase)
    assert held.before is not None
    assert held.before.requester == ALICE
    assert basis().digest == held.before.report_digest
