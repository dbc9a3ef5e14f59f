"""Commands and decisions about exceptions for a caller: publishes them, and waits for the workflow's decision."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from processors.client.exception_facts import why
from processors.events.exceptions import ExceptionDecided, Status
from processors.events.kinds import EventKind
from processors.exception_workflow.rules.reasons import Reason
from processors.gateway.asking import SOURCE
from processors.gateway.desk import Desk
from processors.gateway.problems import Problem
from processors.gateway.replies import change_key, decision_key, refusal_key
from processors.stream.types import LARGEST_VALUE
from processors.stream.wire.reader import decision_reader
from processors.stream.wire.writer import Event, EventWriter

_MOVED: Final = frozenset(
    {
        Reason.WRONG_STEP,
        Reason.REPLAYED,
        Reason.REPORT_SUPERSEDED,
        Reason.OTHER_REPORT,
        Reason.ILLEGAL_TRANSITION,
        Reason.FEATURE_OFF,
        Reason.ALREADY_USED,
        Reason.EXTENDED_ALREADY,
        Reason.TOO_MANY_PARKED,
    }
)
"""Reasons that mean: the exception is in another state than the caller believes."""

_MALFORMED: Final = frozenset(
    {
        Reason.PROOF_TOO_LARGE,
        Reason.PROOF_MALFORMED,
        Reason.PROOF_NOT_CANONICAL,
        Reason.PROOF_MISSING,
        Reason.REASON_MISSING,
        Reason.DURATION_TOO_LONG,
        Reason.MONITORING_TOO_WEAK,
        Reason.WRONG_DECISION,
        Reason.UNKNOWN_FINDING,
        Reason.TOO_MANY_FINDINGS,
        Reason.RISK_STATEMENT_MISSING,
        Reason.TEXT_TOO_LONG,
        Reason.CONTROLS_MISSING,
        Reason.CATEGORY_UNKNOWN,
        Reason.VALIDITY_IN_PAST,
        Reason.WINDOW_NOT_ALLOWED,
    }
)
"""Reasons that mean: a corrected request would be accepted."""

_UNKNOWN: Final = frozenset({Reason.NO_SUCH_EXCEPTION, Reason.ORPHAN_DECISION})


async def decide(desk: Desk, kind: EventKind, event: Event, patience: float) -> ExceptionDecided | None:
    """The workflow's decision on a command or a decision; None if it does not come within `patience` seconds.

    If the guard has to confirm the report first, the decision after its answer. Raises Problem for a record that
    the workflow cannot read, Crowded, BrokerUnavailable.
    """
    record = EventWriter(desk.events, kind, SOURCE)(event, time.time_ns() // 1_000_000)
    if (size := len(record.value or b"")) > LARGEST_VALUE:
        raise Problem("too-large", f"the command has {size} bytes, and a topic takes {LARGEST_VALUE}")
    until = asyncio.get_running_loop().time() + patience
    with desk.mailbox.waiter() as waiter:
        place = "/".join(map(str, await desk.publish(record)))
        waiter.on(decision_key(place))
        waiter.on(refusal_key(place))
        found = await waiter.first(patience)
    if found is None:
        return None
    (answer_kind, _), answer = found
    if answer_kind == "refusal":
        said = answer.decode("utf-8", "replace")
        raise Problem("unprocessable", f"the workflow cannot read this: {said}")
    return await _confirmed(desk, _decided(desk, answer), until)


async def _confirmed(desk: Desk, decided: ExceptionDecided, until: float) -> ExceptionDecided | None:
    """The change with which a requested or amended exception leaves CHECKING; otherwise `decided`.

    Changes are numbered without gaps, so the number of the next one is known before it comes.
    """
    while decided.to_state is Status.CHECKING and decided.event in _CHECKED:
        with desk.mailbox.waiter() as waiter:
            waiter.on(change_key(decided.exception_id, decided.sequence + 1))
            found = await waiter.first(max(0.0, until - asyncio.get_running_loop().time()))
        if found is None:
            return None
        decided = _decided(desk, found[1])
    return decided


_CHECKED: Final = frozenset({"requested", "amended", "repeated"})
"""Events that are followed by an answer of the guard, if they lead to CHECKING."""


def _decided(desk: Desk, answer: bytes) -> ExceptionDecided:
    return decision_reader(desk.events)(answer)


def refuse(decided: ExceptionDecided, *, proof: bool) -> None:
    """Raise Problem if the workflow refused. `proof` says whether the caller submitted a signed decision."""
    code = decided.reason_code
    if not code:
        return
    if code in _UNKNOWN:
        kind = "not-found"
    elif code in _MALFORMED:
        kind = "unprocessable"
    elif code in _MOVED or not proof:
        kind = "refused"
    else:
        kind = "approval-refused"
    raise Problem(kind, why(decided), reason_code=code, exception_id=decided.exception_id)
