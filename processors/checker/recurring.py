"""Remembers allowed questions that recur byte for byte from the same requester: most of a fleet's traffic.

After its id and time, such a request is one run of bytes; after its ids, so is the answer. One look-up maps the
first to the second. Equal bytes have equal answers as long as matrix and policies are unchanged and no relevant
date passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from processors.checker.intake import IncomingRequest
from processors.checker.memo import Answered
from processors.checker.memory import Memory
from processors.events.vocabulary import Verdict
from processors.matrix.merged import Matrix
from processors.policies import Policies

KEPT = 24 * 1024 * 1024
"""The most bytes in each of the two generations."""

_ENTRY = 512
"""Bytes that an entry takes in addition to its key and the bytes of the answer."""

LONGEST = 500_000
"""The most bytes of an answer that is kept whole, so that it fits a topic with any id in front."""


class Recurring(NamedTuple):
    by: Mapping[str, Any]
    answered: Answered
    said: bytes
    """The result's bytes from `tenant` to the end of its report."""


class RecurringQuestions:
    """Plain ALLOWs by the bytes of requester and question."""

    def __init__(self, kept: int = KEPT) -> None:
        self._known: Memory[bytes, Recurring] = Memory(kept)
        self._matrix: Matrix | None = None
        self._policies: Policies | None = None
        self._now = 0

    def under(self, matrix: Matrix, policies: Policies, now: int) -> None:
        """Set what the following answers are judged by.

        Forgets all answers if it changed or if time has gone back, because an answer says until when it is valid,
        but not since when.
        """
        if matrix is not self._matrix or policies is not self._policies or now < self._now:
            self._matrix, self._policies = matrix, policies
            self._known.clear()
        self._now = now

    def get(self, question: bytes, now: int) -> Recurring | None:
        known = self._known.get(question)
        return known if known is not None and known.answered.holds(now) else None

    def learn(self, question: bytes, asked: IncomingRequest, answered: Answered) -> None:
        """Remember a question whose only answer is a result.

        `question` is what the intake has cut the request to.
        """
        said = asked.who + answered.said + answered.report
        if answered.verdict is Verdict.ALLOW and not asked.more and len(said) <= LONGEST:
            self._known.keep(question, Recurring(asked.by, answered, said), _ENTRY + len(question) + len(said))
