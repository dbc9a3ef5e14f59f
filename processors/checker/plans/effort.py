"""The effort budget of a search for ways out, which asks the check about changed versions of the question.

The budget counts effort and not time, so that the same inputs have the same report on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from processors.checker.case import Case
from processors.checker.plans.answer_cache import AnswerCache, Found, blocking_in, found_in, weight
from processors.events.report import Finding
from processors.events.subject import Subject

EFFORT: Final = 20_000
"""How much the search may look at: entries weighed and ranges judged. About 20 ms of one core."""

AFTER_THE_FIRST: Final = 500
"""How much it may still look at after it has found a way out: further ones are optional, and nobody waits for
them."""

INSTALLATION: Final = 500_000
"""How much a search outside the topics may look at: about a second of one core."""

AT_LEAST: Final = 12
"""The number of evaluations that even a large subject gets."""

AT_MOST: Final = 100_000
"""The effort limit of any subject, however large."""

_EVALUATION: Final = 40
"""The fixed effort of one evaluation."""


class Exhausted(Exception):
    """The effort is used up."""


@dataclass(slots=True)
class Effort:
    """The remaining effort of one search. `case` is the original question."""

    case: Case
    left: int

    @classmethod
    def of(cls, case: Case, findings: tuple[Finding, ...]) -> Effort:
        return cls(case, min(AT_MOST, max(EFFORT, AT_LEAST * weight(case, findings))))

    def spend(self, effort: int) -> None:
        """Raises Exhausted once nothing is left. The last step may exceed the limit."""
        if self.left <= 0:
            raise Exhausted
        self.left -= effort

    def evaluate(self, subject: Subject) -> tuple[Finding, ...]:
        """Every finding of another subject, under the same matrix and policies and at the same time.

        Raises Exhausted.
        """
        return self._paid(lambda: found_in(subject, self.case))

    def blocking(self, subject: Subject, before: AnswerCache | None) -> tuple[Finding, ...]:
        """The findings of these that block.

        A cached answer is charged the same effort, so that a search ends where it would have ended without the
        cache. Raises Exhausted.
        """
        if before is None:
            return self._paid(lambda: blocking_in(subject, self.case))
        return self._paid(lambda: before.blocking(subject, self.case))

    def _paid(self, ask: Callable[[], Found]) -> tuple[Finding, ...]:
        self.spend(_EVALUATION)
        found = ask()
        self.left -= found.weight
        return found.findings
