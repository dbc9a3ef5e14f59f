"""The search for ways out asks the same question again, changed a little, as long as its effort lasts.

It is bounded by effort and not by a clock, so that the same inputs have the same report on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from processors.checker.case import Case
from processors.checker.together import findings_of, read_cases_of
from processors.events.report import Finding
from processors.events.subject import Subject
from processors.matrix.document import Release

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

_FINDING: Final = 5
"""What it takes to make a finding out of an entry."""


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
        self.spend(_EVALUATION)
        cases = read_cases_of(subject, self.case.matrix, self.case.policies, self.case.now)
        findings = findings_of(cases)
        self.left -= sum(weight(case, findings) for case in cases)
        return findings


def weight(case: Case, findings: tuple[Finding, ...]) -> int:
    """How much there is to look at in a case: every entry of every list, and what became of them."""
    subject, manifest = case.subject, case.manifest
    stated = (
        *(subject.installed, subject.runtimes, subject.host.provides, manifest.conflicts, manifest.replaces),
        *(manifest.runtimes or (), manifest.databases, manifest.provides, manifest.consumes),
        *(
            manifest.migrations,
            manifest.components,
            case.requirements,
            *case.needs.values(),
            *case.excludes.values(),
        ),
    )
    used = sum(len(p.provides) + len(p.consumes) + len(p.migrations) for p in subject.installed)
    return sum(map(len, stated)) + used + sum(map(_entries, case.releases)) + _FINDING * len(findings)


def _entries(row: Release) -> int:
    """Of a release's lists, those that `requirements` of a case do not hold."""
    lists = (row.conflicts, row.runtimes, row.databases, row.provides, row.consumes, row.migrations)
    return sum(map(len, lists))
