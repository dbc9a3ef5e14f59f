"""The search for ways out asks the same question again, changed a little, as long as its effort lasts.

It is bounded by effort and not by a clock, so that the same inputs have the same report on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from processors.checker.case import Case
from processors.checker.plans.asked_before import AskedBefore, Found, blocking_in, found_in, weight
from processors.events.report import Finding
from processors.events.subject import Subject

EFFORT: Final = 20_000
"""How much the search may look at: entries of a question weighed, and ranges judged. About 20 ms of one core."""

AFTER_THE_FIRST: Final = 500
"""How much it may still look at once it has a way out: further ones are welcome, and nobody waits for them."""

INSTALLATION: Final = 500_000
"""How much a search may look at that nobody on a topic waits for: about a second of one core."""

AT_LEAST: Final = 12
"""Evaluations that even a large subject gets."""

AT_MOST: Final = 100_000
"""The effort beyond which no subject goes, however large it is."""

_EVALUATION: Final = 40
"""What it takes to ask at all."""


class Exhausted(Exception):
    """The effort is used up."""


@dataclass(slots=True)
class Effort:
    """What is left of the effort of one search. `case` is the question as it was asked."""

    case: Case
    left: int

    @classmethod
    def of(cls, case: Case, findings: tuple[Finding, ...]) -> Effort:
        return cls(case, min(AT_MOST, max(EFFORT, AT_LEAST * weight(case, findings))))

    def spend(self, effort: int) -> None:
        """Raises Exhausted once nothing is left; the last step may cost more than there was."""
        if self.left <= 0:
            raise Exhausted
        self.left -= effort

    def evaluate(self, subject: Subject) -> tuple[Finding, ...]:
        """Every finding of another subject, beside the same matrix and policies at the same time.

        Raises Exhausted.
        """
        return self._paid(lambda: found_in(subject, self.case))

    def blocking(self, subject: Subject, before: AskedBefore | None) -> tuple[Finding, ...]:
        """Of these, what blocks. What was asked `before` takes the same effort: a search ends where it would have
        ended without. Raises Exhausted."""
        if before is None:
            return self._paid(lambda: blocking_in(subject, self.case))
        return self._paid(lambda: before.blocking(subject, self.case))

    def _paid(self, ask: Callable[[], Found]) -> tuple[Finding, ...]:
        self.spend(_EVALUATION)
        found = ask()
        self.left -= found.weight
        return found.findings
