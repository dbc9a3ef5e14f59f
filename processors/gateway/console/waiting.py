"""Exceptions in a line each: how they stand, and how they stand towards whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from processors.bootstrap.exception_workflow import read_policy
from processors.client.approval_path import Progress, Recipient, path_of
from processors.client.exception_facts import OPEN
from processors.client.exceptions import all_cases
from processors.errors import Unavailable
from processors.events.exceptions import ProofKind, Scope, Status
from processors.exception_workflow.config import ExceptionPolicy, Proves
from processors.exception_workflow.rules.timers import REVIEWING, UNDECIDED, step_deadline
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.exceptions import own_case
from processors.gateway.console.installations import installations_of
from processors.gateway.console.may_decide import Standing, standing_of
from processors.gateway.console.narrowing import Narrowing
from processors.gateway.console.visitors import SEES_ALL, Visitor, console_of, now_ms
from processors.gateway.desk import Desk
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem


class Row(NamedTuple):
    """One exception. `roles` are those whose decision it waits for, `due` when that is over, in milliseconds."""

    case: ExceptionCase
    step: str
    roles: Sequence[Recipient]
    due: int | None
    standing: Standing
    mine: bool
    target: str
    """The installation that it was asked for, or where it was used last; empty where nobody here knows."""

    def is_meant(self, narrowed: Narrowing) -> bool:
        scope = self.case.scope
        plugin = f"{scope.plugin_id} {scope.plugin_version}"
        where = (self.target, scope.environment, f"{scope.host} {scope.host_version}", scope.tenant)
        return narrowed.admits((plugin,), where, self.case.status)


class Rows(NamedTuple):
    """Exceptions of the visitor's tenants, the most urgent first; those that are over, the latest first."""

    yours: Sequence[Row]
    """That the visitor may decide."""
    asked: Sequence[Row]
    """That the visitor has asked for, and that are open."""
    others: Sequence[Row]
    """Of other people, undecided, and not the visitor's to decide."""
    in_force: Sequence[Row]
    """Of other people: approved, or under review."""
    over: Sequence[Row]

    def narrowed(self, to: Narrowing) -> Self:
        return self._make([row for row in rows if row.is_meant(to)] for rows in self)


async def rows_of(desk: Desk, visitor: Visitor) -> Rows:
    """Reads all exceptions, and gives those that are the visitor's to see. Raises Unavailable, Crowded."""
    policy = read_policy(desk.settings)
    cases = await desk.read(all_cases, desk.settings, desk.events)
    own = [case for case in cases if case.scope.tenant in visitor.who.tenants and may_see(case, visitor)]
    targets = await installations_of(desk, own)
    rows = sorted(
        (row_of(case, policy, visitor, desk, targets[case.exception_id]) for case in own),
        key=lambda row: row.due or 2**62,
    )
    is_open = [row for row in rows if row.case.status in OPEN]
    theirs = [row for row in is_open if not row.mine and not row.standing.may_decide]
    return Rows(
        yours=[row for row in is_open if row.standing.may_decide],
        asked=[row for row in is_open if row.mine],
        others=[row for row in theirs if row.case.status in UNDECIDED],
        in_force=[row for row in theirs if row.case.status not in UNDECIDED],
        over=sorted((row for row in rows if row.case.status not in OPEN), key=lambda row: -row.case.changed_at),
    )


def row_of(case: ExceptionCase, policy: ExceptionPolicy, visitor: Visitor, desk: Desk, target: str = "") -> Row:
    path = path_of(policy, case.band, case) if case.status in REVIEWING else ()
    waits = next((step for step in path if step.progress is Progress.WAITS), None)
    due = step_deadline(case, policy) or (case.valid_until if case.status is Status.APPROVED else None)
    return Row(
        case=case,
        step="" if waits is None else waits.name,
        roles=() if waits is None else waits.roles,
        due=due,
        standing=standing_of(case, policy, visitor, now_ms(), signs=signs_here(desk, policy)),
        mine=is_mine(case, visitor),
        target=target,
    )


class Found(NamedTuple):
    """The exception of a scope, in whatever round; None if nobody has ever asked for it, or `unread`: exceptions
    cannot be read now."""

    case: ExceptionCase | None
    unread: bool = False


async def find_exception(desk: Desk, scope: Scope, visitor: Visitor) -> Found:
    """For pages that have more to say than the exception, and are needed while nothing else answers."""
    try:
        return Found(await case_of_scope(desk, scope, visitor))
    except (Unavailable, Crowded):
        return Found(None, unread=True)


async def case_of_scope(desk: Desk, scope: Scope, visitor: Visitor) -> ExceptionCase | None:
    """The exception of a scope, in whatever round; None if nobody has ever asked for it."""
    try:
        return await own_case(desk, scope.exception_id, visitor.who)
    except Problem:
        return None


def is_mine(case: ExceptionCase, visitor: Visitor) -> bool:
    return (case.requester.subject, case.requester.issuer) == (visitor.who.subject, visitor.who.issuer)


def may_see(case: ExceptionCase, visitor: Visitor) -> bool:
    """Whether the page of an exception of the visitor's tenant is theirs to see: by their role, or as their own."""
    return bool(visitor.who.roles & SEES_ALL) or is_mine(case, visitor)


def signs_here(desk: Desk, policy: ExceptionPolicy) -> bool:
    """Whether an ID token of whoever logs in here proves a decision to the workflow."""
    console = console_of(desk)
    return console is not None and any(
        issuer.issuer == console[1].issuer
        and ProofKind.ID_TOKEN_NONCE in issuer.kinds
        and Proves.DECISIONS in issuer.proves
        for issuer in policy.proof.issuers
    )
