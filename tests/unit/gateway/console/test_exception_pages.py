"""The page of an exception: why it ended comes first, and what somebody tried in vain is no end of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from examples.exceptions import BOB, MINUTE, NEVER_ASKED, NOON, SABINE, asks, confirms, policy, says, wants_to_run

from processors.client.approval_path import path_of
from processors.configuration.gateway import Role
from processors.events.exceptions import CommandKind, ExceptionDecided, Status
from processors.exception_workflow.answers import decided
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.transitions import decide
from processors.exception_workflow.rules.triggers import Commanded, Trigger
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.console.endings import ending_before, ending_of
from processors.gateway.console.exceptions import Story, event_of
from processors.gateway.console.forms import Fault
from processors.gateway.console.may_decide import Standing
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.terms import permitted

Past = Sequence[ExceptionDecided]
WHY = "no rollback is named"
REFUSED = says(BOB, Verb.DENY, reason=WHY)


def lived(*triggers: Trigger) -> tuple[ExceptionCase, Past]:
    """An exception and its history, with the guard's own report wherever one is due."""
    case, past = NEVER_ASKED, list[ExceptionDecided]()
    for trigger in triggers:
        moves = [decide(case, trigger, policy())]
        if isinstance(trigger, Commanded) and moves[0].after.status is Status.CHECKING:
            asked = moves[0].after
            moves.append(decide(asked, confirms(asked, trigger.at, trigger.basis), policy()))
        past += [decided(move, policy()) for move in moves]
        case = moves[-1].after
    return case, past


def shown(case: ExceptionCase, past: Past, **more: Any) -> str:
    path = path_of(policy(), case.band, case)
    plain: dict[str, Any] = {
        "title": "Exception",
        "case": case,
        "terms": permitted(case.scope, "warehouse-1", case.round, (), case.band, policy()),
        "said": "",
        "path": path,
        "step": next((step for step in path if step.progress == "waits"), None),
        "due": None,
        "standing": Standing(False),
        "may_sign": True,
        "approvals_at": "",
        "undecided": False,
        "mine": False,
        "may_extend": False,
        "extendable": False,
        "may_revoke": False,
        "revokers": (),
        "may_ask_again": False,
        "differences": (),
        "ended": ending_of(case, past),
        "ended_before": ending_before(case, past),
        "events": [event_of(one) for one in past],
        "following": "",
    }
    page = Story(**{**plain, **more})
    frame = Frame(name="Bob", roles=frozenset({Role.REQUESTER}), at="/exceptions/x")
    return bytes(rendered(page, frame, None).body).decode()


def test_why_it_was_refused_comes_before_everything_else() -> None:
    page = shown(*lived(asks(), REFUSED), may_ask_again=True)

    assert page.index("Refused by bob") < page.index(WHY) < page.index("this host runs 1.9.0")
    words = re.sub("<[^>]+>", "", page).lower()
    assert "rejected" not in words
    assert "denied" not in words


def test_what_was_never_approved_is_not_said_to_have_let_anything_pass() -> None:
    refused = shown(*lived(asks(), REFUSED), may_ask_again=True)
    used = shown(*lived(asks(), says(BOB), says(SABINE), wants_to_run()), may_ask_again=True)

    assert "any more" not in refused
    assert "It never let anything pass" in refused
    assert "It lets nothing pass any more" in used


def test_each_round_ends_with_its_own_word() -> None:
    again = asks(command_id="c-2", at=NOON + 2 * MINUTE)
    withdrawn = asks(CommandKind.WITHDRAWN, command_id="c-3", at=NOON + 3 * MINUTE, reason="not needed")
    case, past = lived(asks(), REFUSED, again)

    assert ending_of(case, past) is None
    before = ending_before(case, past)
    assert before is not None
    assert (before.words, before.by, before.why) == ("Refused", "bob", WHY)
    ended = ending_of(*lived(asks(), REFUSED, again, withdrawn))
    assert ended is not None
    assert (ended.words, ended.by, ended.why) == ("Withdrawn", "alice", "not needed")


def test_a_use_that_failed_does_not_look_like_a_refused_exception() -> None:
    """Neither in its words nor in its colour; its report says more."""
    other = wants_to_run(target="")
    case, past = lived(asks(), says(BOB), says(SABINE), other)
    event = event_of(past[-1])

    assert case.status is Status.APPROVED
    assert event.in_vain == "not let pass: an installation that alice asked for"
    assert event.request_id == other.request_id
    page = shown(case, past)
    assert "refused" not in page.lower()
    assert f'href="/requests/{other.request_id}"' in page


def test_a_decision_that_did_not_count_is_told_as_such() -> None:
    case, past = lived(asks(), says(SABINE))  # not her step

    assert case.status is Status.PENDING
    assert event_of(past[-1]).in_vain == "did not count: a decision of sabine"
    assert event_of(past[-1]).request_id == ""


def test_who_decides_can_approve_without_reading_to_the_end_of_the_page() -> None:
    """The buttons stay in sight from the beginning of what is signed, in a form that works without script."""
    page = shown(*lived(asks()), standing=Standing(True), undecided=True)
    form = page.partition('class="fields deciding">')[2].partition("</form>")[0]

    assert page.index("fields deciding") < page.index("What was asked") < page.index('class="stays')
    assert form.count('name="decision"') == 2
    assert "Refuse ..." in form
    assert "Deny" not in page


def test_a_refusal_without_a_reason_says_so_at_the_field() -> None:
    fault = Fault("reason", "Say why you refuse.")
    page = shown(*lived(asks()), standing=Standing(True), undecided=True, fault=fault, typed="")

    assert 'aria-describedby="fault-reason"' in page
    assert 'id="fault-reason">Say why you refuse.' in page


@pytest.mark.parametrize(
    ("band", "said"),
    [
        ("HIGH", ["one <strong>plugin-steward</strong> decides within 8 h", "2 or more people"]),
        ("CRITICAL", ["2 different people, each of them <strong>security-approver</strong> or"]),
    ],
)
def test_who_decides_is_said_so_that_nobody_counts_wrongly(band: Any, said: list[str]) -> None:
    """How many hold a role is not how many have to agree."""
    case, past = lived(asks())
    page = shown(case, past, path=path_of(policy(), band), undecided=True)

    for words in said:
        assert words in page
    assert "held by" not in page
    assert "1 of <strong>" not in page
    assert "After the last step it is approved" in page


def test_who_asked_finds_the_way_on_above_what_is_history() -> None:
    """A long one is folded away, as is what was new in the round that is decided."""
    again = asks(command_id="c-2", at=NOON + 2 * MINUTE)
    approvals = (says(BOB, at=NOON + 3 * MINUTE), says(SABINE, at=NOON + 4 * MINUTE))
    page = shown(*lived(asks(), REFUSED, again, *approvals))

    assert page.index("Install under it") < page.index("What was asked") < page.index("New since round 1")
    assert '<details class="whole"><summary>7 events' in page
    assert '<details class="whole" open><summary>3 events' in shown(*lived(asks(), REFUSED))
