"""What an approver sees of a second round before anything else: what is new in it."""

from __future__ import annotations

import re
from typing import Any

from examples.exceptions import BOB, MINUTE, NEVER_ASKED, NOON, asks, confirms, policy, says

from processors.client.approval_path import path_of
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.rounds import differences
from processors.exception_workflow.rules.transitions import decide
from processors.exception_workflow.rules.triggers import Commanded
from processors.exception_workflow.state.case import ExceptionCase, Execution
from processors.gateway.console.endings import Ending
from processors.gateway.console.exceptions import Story
from processors.gateway.console.may_decide import Standing
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.terms import permitted

SAID = "The vendor has confirmed in writing that this release runs on our host; <b>a rollback</b> is prepared."


def denied_and_asked_again(**more: Any) -> ExceptionCase:
    case = NEVER_ASKED
    for trigger in (asks(), says(BOB, Verb.DENY), asks(command_id="c-2", at=NOON + 2 * MINUTE, **more)):
        case = decide(case, trigger, policy()).after
        if isinstance(trigger, Commanded):
            case = decide(case, confirms(case, trigger.at, trigger.basis), policy()).after
    return case


def shown(case: ExceptionCase) -> str:
    """The page, as far as the decision, which the facts stand above."""
    path = path_of(policy(), case.band, case)
    page = Story(
        title="Exception",
        case=case,
        terms=permitted(case.scope, "warehouse-1", case.round, (), case.band, policy()),
        said="",
        path=path,
        step=path[0],
        due=None,
        standing=Standing(may_decide=True),
        may_sign=True,
        approvals_at="",
        undecided=True,
        mine=False,
        may_extend=False,
        extendable=False,
        may_revoke=False,
        revokers=(),
        may_ask_again=False,
        differences=differences(case),
        ended=None,
        ended_before=Ending("Refused", "bob", NOON, "no rollback"),
        events=(),
        following="",
    )
    text = bytes(rendered(page, Frame(name="Bob", at="/exceptions/x"), None).body).decode()
    return text.partition('name="decision"')[0]


def test_a_second_round_shows_what_is_new_above_the_decision() -> None:
    page = shown(denied_and_asked_again(risk_statement=SAID))

    assert "New since round 1, which was refused" in page
    assert re.search(r"Refused by bob.*no rollback", page)
    assert "&lt;b&gt;a rollback&lt;/b&gt; is prepared" in page
    assert re.search(r'<th scope="row">reason</th>.*The warehouse stands still', page, re.DOTALL)


def test_the_same_again_says_so() -> None:
    assert "Nothing: the same was asked for" in shown(denied_and_asked_again())


def test_an_installation_that_was_only_allowed_is_not_called_installed() -> None:
    run = Execution("r-2", "", "alice", "other-cluster", NOON)
    page = shown(denied_and_asked_again()._replace(executions=(run,)))

    assert "asked by alice for other-cluster; no outcome reported yet" in page
    assert "Installed" not in page


def test_which_installations_it_lets_pass_stands_beside_the_one_it_was_asked_for() -> None:
    page = shown(denied_and_asked_again())

    assert "Asked for warehouse-1; it lets one installation in production of tenant acme pass, whichever" in page
