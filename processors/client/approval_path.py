"""The approval path of an exception, for display: roles and their recipients, deadlines and escalation of each
step."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from processors.events.exceptions import Person
from processors.events.vocabulary import Band
from processors.exception_workflow.config import ExceptionPolicy, Step
from processors.exception_workflow.rules.timers import REVIEWING, current_step
from processors.exception_workflow.state.case import ExceptionCase


class Progress(StrEnum):
    """How far a step is."""

    AHEAD = "ahead"
    WAITS = "waits"
    DONE = "approved"


class Recipient(NamedTuple):
    """A recipient of notifications.

    `reached_at` is empty if the configuration has only the role's name; `members` is how many people hold the role,
    None for a recipient that is not a role.
    """

    name: str
    reached_at: str
    members: int | None


class PathStep(NamedTuple):
    """A step of the approval. `sla` is milliseconds, `given` are those who approved it."""

    name: str
    roles: Sequence[Recipient]
    approve: int
    sla: int
    escalates_to: Sequence[Recipient]
    given: Sequence[Person]
    progress: Progress


def path_of(policy: ExceptionPolicy, band: Band, case: ExceptionCase | None = None) -> tuple[PathStep, ...]:
    """The steps for a risk band, and how far `case` is on them; without a case, nothing is done yet."""
    waits = current_step(case, policy) if case is not None and case.status in REVIEWING else None
    approvals = () if case is None else case.approvals
    path: list[PathStep] = []
    for step in policy.flow(band):
        threshold = policy.thresholds[step.threshold]
        given = tuple(approval.person for approval in approvals if approval.step == step.name)
        path.append(
            PathStep(
                name=step.name,
                roles=tuple(_recipient(policy, role) for role in threshold.roles),
                approve=threshold.approve,
                sla=step.sla,
                escalates_to=tuple(_recipient(policy, name) for name in step.escalate_to),
                given=given,
                progress=_progress(step, waits, len(given) >= threshold.approve),
            )
        )
    return tuple(path)


def _progress(step: Step, waits: Step | None, is_done: bool) -> Progress:
    if is_done:
        return Progress.DONE
    return Progress.WAITS if waits is not None and waits.name == step.name else Progress.AHEAD


def _recipient(policy: ExceptionPolicy, name: str) -> Recipient:
    role = policy.roles.get(name)
    if role is None:
        return Recipient(name, "", None)
    return Recipient(name, "" if role.notify == f"role:{name}" else role.notify, role.members)
