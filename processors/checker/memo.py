"""The subject cache: the same question under the same matrix is answered once.

A plugin is rolled out to many similar hosts, so equal subjects recur, and equal subjects have equal bytes. The
cache keeps the finished answer, including the bytes of its report. A cached answer and a fresh one are the same
bytes; a property test proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from processors.checker.memory import Memory
from processors.events.vocabulary import Band, Verdict
from processors.matrix.merged import Matrix
from processors.policies import Policies

KEPT = 24 * 1024 * 1024
"""The most bytes of questions and answers in each of the two generations: some 9,000 ordinary ones, or forty of
the largest."""

_ENTRY = 1024
"""Bytes that an answer takes in addition to its texts, measured."""


class Answered(NamedTuple):
    """Everything in a subject's answer that does not depend on who asks."""

    plugin_id: str
    plugin_version: str
    host: str
    host_version: str
    dependencies: tuple[str, ...]
    """The first few dependencies that the manifest names, for the log."""
    verdict: Verdict
    band: Band
    score: int
    summary: str
    finding_codes: tuple[str, ...]
    checked: bool
    """False if the guard was switched off, so that nothing was checked."""
    said: bytes
    """The run of fields from `plugin_id` to `report_digest`, as every answer contains it."""
    report: bytes
    digest: str
    valid_until: int | None

    def holds(self, now: int) -> bool:
        """Whether none of the dates has passed that the answer depends on."""
        return self.valid_until is None or now < self.valid_until


class Memo:
    """Answers by subject bytes, bounded in bytes.

    All are forgotten when the matrix or the policies change, or when time goes back: an answer says until when it
    is valid, but not since when.
    """

    def __init__(self, evaluate: Callable[[bytes, Matrix, Policies, int], Answered], kept: int = KEPT) -> None:
        self._evaluate = evaluate
        self._answers: Memory[bytes, Answered] = Memory(kept)
        self._matrix: Matrix | None = None
        self._policies: Policies | None = None
        self._now = 0

    def answer(self, subject: bytes, matrix: Matrix, policies: Policies, now: int) -> Answered:
        """The answer to a subject. Raises whatever the evaluation raises; failures are not kept."""
        if matrix is not self._matrix or policies is not self._policies or now < self._now:
            self._matrix, self._policies = matrix, policies
            self._answers.clear()
        self._now = now
        known = self._answers.get(subject)
        if known is None or not known.holds(now):
            known = self._evaluate(subject, matrix, policies, now)
            self._answers.keep(subject, known, _size(subject, known))
        return known

    def held(self) -> int:
        """The bytes that answers and questions take, as far as they are counted."""
        return self._answers.held()


def _size(subject: bytes, answered: Answered) -> int:
    texts = sum(map(len, answered.dependencies)) + len(answered.summary)
    return _ENTRY + len(subject) + len(answered.said) + len(answered.report) + texts
