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
from processors.exception_workflow.state.scene import SOURCE, Scene
from processors.stream.wire.codec import Codec
from processors.stream.wire.writer import EventWriter

_LISTED = 10
"""The most exceptions that a gathered notification names."""


class Teller:
    """`note` is called with each digest that is written, so that it is sent in time."""

    def __init__(self, codec: Codec, policy: ExceptionPolicy, note: Callable[[Held], None]) -> None:
        self._policy, self._note = policy, note
        self._decided = EventWriter(codec, EXCEPTION_DECIDED, SOURCE)
        self._notification = EventWriter(codec, NOTIFICATION, SOURCE)

    def tell(self, scene: Scene, move: Move) -> None:
        """Publish one event for each move, and its notifications."""
        scene.outcome.facts.append(move)
        decided = answers.decided(move, self._policy)
        scene.publish(self._decided(decided, scene.now, scene.headers))
        for notice in notices.notices(move, self._policy):
            if notice.gathered:
                self._gather(scene, notice, move.after)
            else:
                self._notify(scene, notice, minted("notification", decided.id, notice.recipient), move.after)

    def _notify(
        self, scene: Scene, notice: notices.Notice, id: str, case: ExceptionCase | None, count: int = 1
    ) -> None:
        told = answers.notification(notice, id, scene.now, case, count)
        scene.publish(self._notification(told, scene.now, scene.headers))

    def _gather(self, scene: Scene, notice: notices.Notice, case: ExceptionCase) -> None:
        new = PendingDigest(scene.partition, notice.recipient, notice.kind, notice.urgency, scene.now, 0, ())
        held: PendingDigest = scene.outcome.get(scene.view, scene.partition, new.key) or new
        lines = (*held.lines, notices.gist(case))[:_LISTED]
        gathered = held._replace(gathered=held.gathered + 1, lines=lines)
        scene.outcome.put(scene.partition, new.key, gathered)
        self._note(gathered)

    def send_digest(self, scene: Scene, digest: PendingDigest) -> None:
        id = minted("digest", digest.key, str(digest.since))
        self._notify(scene, notices.joined(digest, self._policy.link.partition("{")[0]), id, None, digest.gathered)
        scene.outcome.put(digest.partition, digest.key, None)
