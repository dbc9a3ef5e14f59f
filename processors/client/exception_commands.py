"""Builds commands about exceptions from a person's input. They are not signed yet."""

from __future__ import annotations

import time
from collections.abc import Sequence

from processors.client.block import Block
from processors.client.transport import Change, Wanted
from processors.errors import SettingsInvalid
from processors.events.exceptions import NOBODY, Category, CommandKind, ExceptionCommand, ExceptionRequested
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.notices import gist
from processors.exception_workflow.rules.reasons import Objection
from processors.exception_workflow.rules.requests import stated
from processors.exception_workflow.state.case import ExceptionCase


def command(
    case: ExceptionCase, kind: CommandKind, id: str, *, reason: str, valid_until: int | None = None
) -> ExceptionRequested:
    """A command about an existing exception."""
    stated = ExceptionCommand(
        command_id=id,
        exception_id=case.exception_id,
        kind=kind,
        at=_now(),
        requester=case.requester,
        scope=case.scope,
        request_id=case.request_id,
        single_use=case.single_use,
        valid_until=valid_until,
        reason=reason,
    )
    return ExceptionRequested(stated)


def request(block: Block, wanted: Wanted, id: str) -> ExceptionRequested:
    """The command that requests an exception for a block."""
    stated = ExceptionCommand(
        command_id=id,
        exception_id=block.scope.exception_id,
        kind=CommandKind.REQUESTED,
        at=_now(),
        requester=NOBODY,
        scope=block.scope,
        request_id=block.request_id,
        report_digest=block.report_digest,
        finding_ids=block.finding_ids,
        risk_statement=wanted.risk,
        category=_category(wanted.controls),
        compensating_controls=tuple(wanted.controls),
        valid_until=wanted.valid_until,
        single_use=wanted.single_use,
    )
    return ExceptionRequested(stated, block.subject, block.report)


def slip_in(wanted: Wanted, policy: ExceptionPolicy) -> Objection | None:
    """What the workflow would refuse in the words of a request; None if nothing.

    Checked before the request is sent, so that simple mistakes do not appear in anybody's history.
    """
    try:
        stated(wanted.risk, wanted.controls, _category(wanted.controls), policy)
    except Objection as objection:
        return objection
    return None


def amendment(case: ExceptionCase, block: Block, change: Change, id: str) -> ExceptionRequested:
    """The command that amends a request. `block` is the new basis.

    Raises SettingsInvalid for a block of another exception, which must not be changed instead.
    """
    if block.scope.exception_id != case.exception_id:
        raise SettingsInvalid(
            f"request `{block.request_id}` is not about {gist(case)}, which this exception is for; "
            f"ask for one of its own: `compat-guard exception request {block.request_id}`"
        )
    controls = case.controls if change.controls is None else change.controls
    stated = ExceptionCommand(
        command_id=id,
        exception_id=case.exception_id,
        kind=CommandKind.AMENDED,
        at=_now(),
        requester=NOBODY,
        scope=block.scope,
        request_id=block.request_id,
        report_digest=block.report_digest,
        finding_ids=block.finding_ids,
        risk_statement=case.risk_statement if change.risk is None else change.risk,
        category=_category(controls),
        compensating_controls=tuple(controls),
        valid_until=case.asked_until if change.valid_until is None else change.valid_until,
        single_use=case.single_use if change.single_use is None else change.single_use,
        reason=change.reason,
    )
    return ExceptionRequested(stated, block.subject, block.report)


def kept(case: ExceptionCase, change: Change) -> Sequence[str]:
    """The findings of an amendment that names none: those of before, unless it has another block as its basis."""
    return case.finding_ids if change.request_id is None else ()


def extended_until(case: ExceptionCase, longer: int | None, now: int) -> int | None:
    """The requested end of an extension. Times are milliseconds; None requests the most that is permitted."""
    return None if longer is None else max(now, case.valid_until or 0) + longer


def _category(controls: Sequence[str]) -> Category:
    return Category.MITIGATED if controls else Category.WAIVER


def _now() -> int:
    return time.time_ns() // 1_000_000
