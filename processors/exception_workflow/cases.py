"""Reads exceptions from the state for a batch, fires their due timers, and writes them back."""

from __future__ import annotations

from collections.abc import Callable

from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.notifier import Notifier
from processors.exception_workflow.proof.keys import KeyRing
from processors.exception_workflow.proof.token import Proof
from processors.exception_workflow.proof.verify import Decision, verify
from processors.exception_workflow.rules import parking
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.timers import next_due
from processors.exception_workflow.rules.transitions import Fact, Move, catch_up, decide
from processors.exception_workflow.rules.triggers import Decided
from processors.exception_workflow.state.case import ExceptionCase, Held
from processors.exception_workflow.state.move_context import MoveContext
from processors.stream.types import NotYet, Outcome


class Cases:
    """`note` is called with each state that is written, so that its timers are known."""

    def __init__(
        self, policy: ExceptionPolicy, keys: Callable[[], KeyRing], notifier: Notifier, note: Callable[[Held], None]
    ) -> None:
        self._policy, self._keys, self._notifier, self._note = policy, keys, notifier, note

    def held(self, context: MoveContext, exception_id: str) -> ExceptionCase:
        held: Held | None = context.outcome.get(context.view, context.partition, exception_id)
        return held if isinstance(held, ExceptionCase) else ExceptionCase(exception_id=exception_id)

    def caught_up(self, context: MoveContext, case: ExceptionCase) -> ExceptionCase:
        """The exception after every timer that was due before this moment.

        Raises NotYet if an unread record may still stop a timer that is due.
        """
        due = next_due(case, self._policy)
        if due is not None and context.view.read_until(context.partition) < due <= context.now:
            raise NotYet
        case, late = parking.orphans(case, self._policy, context.now)
        for parked in late:
            objection = Objection(Reason.ORPHAN_DECISION, "no request came for this decision")
            self._notifier.publish(context, refused(case, context, objection, cause=parked.cause, event="orphaned"))
        for move in catch_up(case, self._policy, context.now):
            self._notifier.publish(context, move)
            case = move.after
        return case

    def call_parked(self, context: MoveContext, case: ExceptionCase) -> ExceptionCase:
        """Judge the parked decisions, each proof at its own time of arrival."""
        case, waiting = parking.called(case)
        for parked in waiting:
            proof = Proof(parked.kind, parked.proof, parked.decision)
            try:
                decision = verify(proof, self._policy.proof, self._keys(), parked.at)
                move = decide(case, Decided(decision=decision, at=context.now, cause=parked.cause), self._policy)
            except Objection as objection:
                move = refused(case, context, objection, cause=parked.cause)
            self._notifier.publish(context, move)
            case = move.after
        return case

    def put(self, outcome: Outcome, partition: int, before: ExceptionCase, after: ExceptionCase) -> None:
        """Write a changed state. A state that never became an exception is removed completely."""
        if after is before:
            return
        outcome.put(partition, after.key, after if after.exists or after.parked else None)
        self._note(after)


def fact(event: str, context: MoveContext, decision: Decision) -> Fact:
    return Fact(
        event, context.now, context.cause, decision.person.subject, step=decision.step, text=decision.reason
    )


def refused(
    case: ExceptionCase,
    context: MoveContext,
    objection: Objection,
    *,
    cause: str | None = None,
    event: str = "refused",
) -> Move:
    stated = Fact(
        event, context.now, cause or context.cause, "", "", case.request_id, objection.reasons, objection.text
    )
    return Move(case, case, stated)
