"""What a report says before anything else: the one thing to do, and who was asked to let it pass all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from processors.client.approval_path import Progress, path_of
from processors.events.exceptions import Status
from processors.events.vocabulary import Verdict
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.timers import REVIEWING
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.console.rendering import instant


class Summary(NamedTuple):
    """`do` is a sentence, for which the page has what it takes just below. `asked` says who asked for an exception,
    and how it stands; empty where there is nothing to ask for."""

    do: str
    asked: str


def what_was_allowed(at: int | None, *, holds: bool, unread: bool) -> str:
    """Of an installation that an exception let pass at a time, in milliseconds. `holds` is whether it may still
    begin, `unread` whether nobody can tell."""
    if holds:
        return "Install it now, watched as the exception demands."
    allowed = f"It was allowed{'' if at is None else f' at {instant(at)}'}"
    if unread:
        return f"{allowed}. Nobody knows now whether that still holds, because exceptions cannot be read."
    return f"{allowed}. That permits no installation any more: check again before you install it."


def what_to_do(
    verdict: Verdict, ways_out: int, case: ExceptionCase | None, *, covers: bool, usable: bool, may_ask: bool
) -> str:
    """`ways_out` is how many there are, `covers` whether nothing speaks against the exception that the request
    names, `usable` whether nothing is known that speaks against `case`, `may_ask` whether an exception can be asked
    for."""
    match verdict:
        case Verdict.ALLOW:
            return "Install it: nothing stands against it."
        case Verdict.WARN:
            return "It may be installed. Read what is warned of first."
        case _ if not covers:
            return "Do not install it: the exception does not cover this."
        case _:
            return _of_block(ways_out, case, usable=usable, may_ask=may_ask)


def _of_block(ways_out: int, case: ExceptionCase | None, *, usable: bool, may_ask: bool) -> str:
    if usable:
        return "Install it under the exception that was approved, and not as it is."
    if ways_out:
        return f"Take {f'one of {ways_out} ways' if ways_out > 1 else 'the way'} out below."
    if case is not None and case.status is Status.APPROVED:
        return "Do not install it: the exception that was approved does not cover this."
    if may_ask:
        return "Do not install it. Nothing that is known helps; people can let it pass all the same."
    return "Do not install it. Nothing that is known helps."


def who_was_asked(case: ExceptionCase | None, policy: ExceptionPolicy, *, sees: bool) -> str:
    """`sees` is whether the exception is the visitor's to see: else nobody is named."""
    if case is None:
        return "Nobody was asked for an exception."
    who, round = (case.requester.subject, f" in round {case.round}") if sees else ("Somebody", "")
    asked = f"{who} asked for an exception{round}"
    if case.status in REVIEWING:
        return f"{asked}; {_deciders(case, policy)} decides."
    if case.status is Status.CHECKING:
        return f"{asked}; the guard gives its report again before anybody decides."
    if case.status is Status.APPROVED:
        by = _joined([approval.person.subject for approval in case.approvals]) if sees else ""
        return f"{asked}, and it was approved{f' by {by}' if by else ''}."
    return f"{asked}: {_ENDED.get(case.status, case.status.lower())}."


_ENDED = {
    Status.REJECTED: "it was refused",
    Status.NEEDS_REVIEW: "it has to be reviewed before it lets anything pass",
    Status.CONSUMED: "it was used",
    Status.WITHDRAWN: "it was withdrawn",
    Status.LAPSED: "nobody decided in time",
    Status.VOIDED: "nothing blocked any more",
    Status.REVOKED: "it was revoked",
    Status.EXPIRED: "its time is over",
}


def _deciders(case: ExceptionCase, policy: ExceptionPolicy) -> str:
    waits = next((step for step in path_of(policy, case.band, case) if step.progress is Progress.WAITS), None)
    return "nobody" if waits is None else " or ".join(role.name for role in waits.roles)


def _joined(names: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(names))
