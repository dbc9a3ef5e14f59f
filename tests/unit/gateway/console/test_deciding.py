"""What was shown is what is signed: whatever moves what an approval lets pass stops the signing."""

from __future__ import annotations

import pytest
from examples.exceptions import BOB, HOUR, MINUTE, NEVER_ASKED, NOON, asks, confirms, policy, says

from processors.events.exceptions import CommandKind
from processors.exception_workflow.rules.transitions import decide
from processors.exception_workflow.rules.triggers import Commanded, Trigger
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.console.deciding import require_as_shown
from processors.gateway.console.sessions import AsShown, OpenDecision
from processors.gateway.problems import Problem

END = NOON + 24 * HOUR


def after(case: ExceptionCase, *triggers: Trigger) -> ExceptionCase:
    """With the guard's own report wherever one is due."""
    for trigger in triggers:
        case = decide(case, trigger, policy()).after
        if isinstance(trigger, Commanded):
            case = decide(case, confirms(case, trigger.at, trigger.basis), policy()).after
    return case


ASKED = after(NEVER_ASKED, asks(valid_until=END))
SHOWN = OpenDecision(ASKED.exception_id, "{}", AsShown.of(ASKED))


@pytest.mark.parametrize(
    "until",
    [END + 24 * HOUR, END],
    ids=["a later end", "the same again, by new clocks"],
)
def test_an_amendment_stops_the_signing(until: int) -> None:
    """Also where the words, the findings and the report are those of before."""
    amended = asks(CommandKind.AMENDED, at=NOON + MINUTE, command_id="c-2", valid_until=until)
    case = after(ASKED, amended)

    assert case.asked == ASKED.asked
    with pytest.raises(Problem, match="has moved"):
        require_as_shown(case, SHOWN)


def test_the_approval_of_somebody_else_does_not() -> None:
    case = after(ASKED, says(BOB))

    assert case.approvals
    require_as_shown(case, SHOWN)
