"""What changes between two answers to one question, or for many questions between two matrices. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from processors.errors import Refused
from processors.events.report import Finding, Report
from processors.events.vocabulary import Verdict

MOST_SUBJECTS: Final = 500_000
"""The most different questions that are distinguished: about 60 MB."""


_STRICTNESS: Final = (Verdict.ALLOW, Verdict.WARN, Verdict.ALLOW_BY_EXCEPTION, Verdict.BLOCK, Verdict.UNKNOWN)


class Difference(NamedTuple):
    """The difference between an earlier and a later report.

    A finding whose effect changed counts as gone and as new.
    """

    before: Verdict
    after: Verdict
    gone: tuple[Finding, ...]
    come: tuple[Finding, ...]

    @property
    def first(self) -> Finding | None:
        """The finding that best explains the difference.

        It is one that is new, or one that is gone if the later verdict is milder; a blocking one before a warning.
        """
        is_milder = _STRICTNESS.index(self.after) < _STRICTNESS.index(self.before)
        findings = (self.gone or self.come) if is_milder else (self.come or self.gone)
        return min(findings, key=lambda finding: not finding.blocks, default=None)


def difference(before: Report, after: Report) -> Difference:
    """What only one of the two reports has, in the order of the reports."""
    known, still = ({(f.id, f.effect) for f in report.findings} for report in (before, after))
    return Difference(
        before=before.verdict,
        after=after.verdict,
        gone=tuple(f for f in before.findings if (f.id, f.effect) not in still),
        come=tuple(f for f in after.findings if (f.id, f.effect) not in known),
    )


class Affected(NamedTuple):
    """A release on a host, and how its verdict changes."""

    plugin_id: str
    plugin_version: str
    host: str
    host_version: str
    before: Verdict
    after: Verdict


@dataclass(slots=True)
class Change:
    """A changed verdict: how many different questions it affects, and in how many requests they were asked.

    The example is the newest of those requests; the finding is the first difference of its question.
    """

    place: Affected
    subjects: int = 0
    requests: int = 0
    example: str = ""
    asked_at: int = -1
    finding: Finding | None = None


@dataclass(slots=True)
class Impact:
    """Collects questions and returns changed verdicts. A repeated question is evaluated once.

    Memory is bounded by the number of different questions: beyond `most`, further ones are left out, and
    `is_complete` becomes False.
    """

    judge: Callable[[bytes], tuple[Report, Report]]
    most: int = MOST_SUBJECTS
    requests: int = 0
    unreadable: int = 0
    left_out: int = 0
    _seen: dict[bytes, Change | None] = field(default_factory=dict[bytes, "Change | None"])
    _changes: dict[Affected, Change] = field(default_factory=dict[Affected, Change])

    def take(self, key: bytes, subject: bytes, request_id: str, at: int) -> None:
        """Count a request. `key` identifies the subject, such as its digest; equal subjects have equal keys."""
        self.requests += 1
        if key not in self._seen and not self._meet(key, subject):
            return
        change = self._seen[key]
        if change is not None:
            change.requests += 1
            if at >= change.asked_at:
                change.asked_at, change.example = at, request_id

    @property
    def subjects(self) -> int:
        return len(self._seen)

    @property
    def is_complete(self) -> bool:
        return not self.left_out

    def changes(self) -> list[Change]:
        """The changed verdicts: those that block first, then the most frequent ones."""
        return sorted(
            self._changes.values(), key=lambda c: (-_STRICTNESS.index(c.place.after), -c.requests, c.place)
        )

    def counts(self) -> dict[tuple[Verdict, Verdict], int]:
        """The number of different questions by their verdicts before and after."""
        counts: dict[tuple[Verdict, Verdict], int] = {}
        for change in self.changes():
            turn = (change.place.before, change.place.after)
            counts[turn] = counts.get(turn, 0) + change.subjects
        return counts

    def _meet(self, key: bytes, subject: bytes) -> bool:
        """Judge a subject that is seen for the first time. False if it does not count."""
        if len(self._seen) >= self.most:
            self.left_out += 1
            return False
        try:
            before, after = self.judge(subject)
        except Refused:  # its request became a dead letter, whatever the matrix said
            self.unreadable += 1
            return False
        self._seen[key] = self._change(before, after)
        return True

    def _change(self, before: Report, after: Report) -> Change | None:
        if before.verdict is after.verdict:
            return None
        named = (after.plugin_id, after.plugin_version, after.host, after.host_version)
        place = Affected(*named, before.verdict, after.verdict)
        change = self._changes.setdefault(place, Change(place))
        change.subjects += 1
        if change.finding is None:
            change.finding = difference(before, after).first
        return change
