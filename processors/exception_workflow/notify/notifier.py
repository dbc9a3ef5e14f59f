"""Publishes moves: one event for each, and its notifications, at once or gathered."""

from __future__ import annotations

from collections.abc import Callable

from processors.events.ids import minted
from processors.events.kinds import EXCEPTION_DECIDED, NOTIFICATION
from processors.exception_workflow import answers
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify import notices
from processors.exception_workflow.rules.transitions import Move
from processors.exception_workflow.state.case import ExceptionCase, Held, PendingDigest
from processors.exception_workflow.state.move_context import SOURCE, MoveContext
from processors.stream.wire.codec import Codec
from processors.stream.wire.writer import EventWriter

_LISTED = 10
"""The most exceptions that a gathered notification names."""


class Notifier:
    """`note` is called with each digest that is written, so that it is sent in time."""

    def __init__(self, codec: Codec, policy: ExceptionPolicy, note: Callable[[Held], None]) -> None:
        self._policy, self._note = policy, note
        self._decided = EventWriter(codec, EXCEPTION_DECIDED, SOURCE)
        self._notification = EventWriter(codec, NOTIFICATION, SOURCE)

    def publish(self, context: MoveContext, move: Move) -> None:
        """Publish one event for each move, and its notifications."""
        context.outcome.facts.append(move)
        decided = answers.decided(move, self._policy)
        context.publish(self._decided(decided, context.now, context.headers))
        for notice in notices.notices(move, self._policy):
            if notice.gathered:
                self._gather(context, notice, move.after)
            else:
                self._notify(context, notice, minted("notification", decided.id, notice.recipient), move.after)

    def _notify(
        self, context: MoveContext, notice: notices.Notice, id: str, case: ExceptionCase | None, count: int = 1
    ) -> None:
        told = answers.notification(notice, id, context.now, case, count)
        context.publish(self._notification(told, context.now, context.headers))

    def _gather(self, context: MoveContext, notice: notices.Notice, case: ExceptionCase) -> None:
        new = PendingDigest(context.partition, notice.recipient, notice.kind, notice.urgency, context.now, 0, ())
        held: PendingDigest = context.outcome.get(context.view, context.partition, new.key) or new
        lines = (*held.lines, notices.gist(case))[:_LISTED]
        gathered = held._replace(gathered=held.gathered + 1, lines=lines)
        context.outcome.put(context.partition, new.key, gathered)
        self._note(gathered)

    def send_digest(self, context: MoveContext, digest: PendingDigest) -> None:
        id = minted("digest", digest.key, str(digest.since))
        self._notify(
            context, notices.joined(digest, self._policy.link.partition("{")[0]), id, None, digest.gathered
        )
        context.outcome.put(digest.partition, digest.key, None)
