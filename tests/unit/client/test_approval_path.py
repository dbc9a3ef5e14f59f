"""Who decides an exception, in the order in which they do."""

from __future__ import annotations

from examples.exceptions import BOB, HOUR, NEVER_ASKED, asks, confirms, policy, says

from processors.client.approval_path import Progress, Recipient, path_of
from processors.events.vocabulary import Band
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.transitions import decide
from processors.exception_workflow.rules.triggers import Commanded
from processors.exception_workflow.state.case import ExceptionCase


def after(*triggers: object) -> ExceptionCase:
    case = NEVER_ASKED
    for trigger in triggers:
        case = decide(case, trigger, policy()).after  # pyright: ignore[reportArgumentType]
        if isinstance(trigger, Commanded):
            case = decide(case, confirms(case, trigger.at, trigger.basis), policy()).after
    return case


def test_a_path_names_roles_their_number_the_time_and_whom_it_escalates_to() -> None:
    steward, security = path_of(policy(), Band.HIGH)

    assert steward.roles == (Recipient("plugin-steward", "", 2),)
    assert [role.name for role in security.roles] == ["security-approver", "security-lead"]
    assert (steward.approve, steward.sla) == (1, 8 * HOUR)
    assert [one.name for one in steward.escalates_to] == ["platform-lead"]
    assert steward.progress is security.progress is Progress.AHEAD


def test_an_address_is_told_where_the_configuration_has_one() -> None:
    roles = {
        name: role.model_copy(update={"notify": f"{name}@powerx.example"}) for name, role in policy().roles.items()
    }
    steward, _ = path_of(policy().model_copy(update={"roles": roles}), Band.HIGH)

    assert steward.roles == (Recipient("plugin-steward", "plugin-steward@powerx.example", 2),)


def test_a_path_says_how_far_a_request_is_and_by_whom() -> None:
    asked, half_way = after(asks()), after(asks(), says(BOB, Verb.APPROVE))

    assert [step.progress for step in path_of(policy(), asked.band, asked)] == [Progress.WAITS, Progress.AHEAD]
    steward, security = path_of(policy(), half_way.band, half_way)
    assert (steward.progress, security.progress) == (Progress.DONE, Progress.WAITS)
    assert [person.subject for person in steward.given] == ["bob"]
