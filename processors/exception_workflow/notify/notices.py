"""The notices of a move: what happened, why, and what to do about it, for each recipient.

Notices caused by a matrix refresh are marked to be gathered: one refresh can move hundreds of exceptions, and
nobody reads hundreds of messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from processors.documents.instants import utc
from processors.events.notifications import Urgency
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.audiences import ALARM, GATHERED, LINES, REFUSED, Line
from processors.exception_workflow.rules.reasons import SECURITY_REASONS, in_words
from processors.exception_workflow.rules.requests import clean
from processors.exception_workflow.rules.timers import current_step, step_deadline
from processors.exception_workflow.rules.transitions import Move
from processors.exception_workflow.state.case import ExceptionCase, PendingDigest


class Notice(NamedTuple):
    """One message for one recipient. `gathered` marks it to be combined with others of the same kind."""

    recipient: str
    kind: str
    urgency: Urgency
    subject: str
    body: str
    link: str
    gathered: bool = False


def notices(move: Move, policy: ExceptionPolicy) -> Iterator[Notice]:
    """The notices of a move, one for each recipient."""
    told: set[str] = set()
    for line in _lines(move):
        for recipient in line.audience(move, policy):
            if recipient and recipient not in told:
                told.add(recipient)
                yield _notice(line, recipient, move, policy)


def joined(digest: PendingDigest, link: str) -> Notice:
    """Gathered notices as one message."""
    listed = "\n".join(f"- {line}" for line in digest.lines)
    more = digest.gathered - len(digest.lines)
    rest = f"\n- and {more} more" if more else ""
    subject = f"{digest.gathered} exceptions: {LINES[digest.kind][0].what}"
    body = f"The matrix was refreshed, and live exceptions were checked again.\n\n{listed}{rest}"
    return Notice(digest.recipient, digest.kind, Urgency(digest.urgency), subject, body, link)


def gist(case: ExceptionCase) -> str:
    """An exception in one line."""
    scope = case.scope
    return (
        f"{scope.plugin_id} {scope.plugin_version} on {scope.host} {scope.host_version} "
        f"({scope.tenant}, {scope.environment})"
    )


def link(case_id: str, policy: ExceptionPolicy) -> str:
    return policy.link.replace("{exception_id}", case_id)


def _lines(move: Move) -> tuple[Line, ...]:
    lines = REFUSED if move.fact.event == "refused" else LINES.get(move.fact.event, ())
    return ALARM + lines if SECURITY_REASONS & set(move.fact.reasons) else lines


def _notice(line: Line, recipient: str, move: Move, policy: ExceptionPolicy) -> Notice:
    case, fact = move.after, move.fact
    words = _words(move, policy)
    refused = "; ".join(map(in_words, fact.reasons))
    why = f"{refused} ({fact.text})" if refused and fact.text else refused or fact.text or case.summary
    what = line.what.format_map(words)
    subject = f"{gist(case)}: {what}" if case.exists else f"exception {case.exception_id}: {what}"
    body = (
        f"**What happened:** {what}, at {_date(fact.at)}, by {clean(fact.actor) or 'somebody unknown'}.\n\n"
        f"**Why:** {clean(why)}\n\n**What to do:** {line.todo.format_map(words)}"
    )
    gathered = fact.event in GATHERED
    return Notice(recipient, line.kind, line.urgency, subject, body, link(case.exception_id, policy), gathered)


def _words(move: Move, policy: ExceptionPolicy) -> dict[str, str]:
    case = move.after
    step = current_step(case, policy) if case.exists else None
    return {
        "id": case.exception_id,
        "step": step.name if step is not None else move.fact.step,
        "due": _date(step_deadline(case, policy)),
        "until": _date(case.valid_until),
        "approval": case.approval_id or "",
        "profile": case.profile,
    }


def _date(at: int | None) -> str:
    if at is None:
        return "never"
    return f"{utc(at):%Y-%m-%d %H:%M} UTC"
