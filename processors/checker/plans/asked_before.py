"""What searches for ways out have asked before: each looks at much that others have looked at.

A search asks about every plugin that a change concerns, beside its surroundings alone. In a fleet the same plugin
is in the same surroundings again and again. What is found of it depends on the question, the matrix, the policies
and the time, and on nothing of the request for whose sake it is asked.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from processors.checker.case import Case
from processors.checker.memory import Memory
from processors.checker.plans.situation import manifest_of
from processors.checker.together import findings_of, installed_as, read_cases_of
from processors.events.report import Finding
from processors.events.subject import Host, InstalledPlugin, Provision, Subject
from processors.matrix.document import Release
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Policies

KEPT: Final = 8 * 1024 * 1024
"""Bytes in each of the two generations."""

MOST_INSTALLED: Final = 32
"""Plugins beside which a question is kept. A larger one seldom comes again, and costs more to keep than to ask."""

_ENTRY: Final = 512
"""Bytes that an entry takes beside question and findings."""

_OBJECTS: Final = 3
"""Bytes that values take for each character that describes them."""

_FINDING: Final = 5
"""What it takes to make a finding out of an entry."""


_Key: TypeAlias = tuple[
    InstalledPlugin,
    Host,
    tuple[InstalledPlugin, ...],
    tuple[Provision, ...],
    Provision | None,
    str | None,
]


class Found(NamedTuple):
    """What was found of a question, and how much there was to look at."""

    findings: tuple[Finding, ...]
    weight: int


class AskedBefore:
    """Questions by their whole content, forgotten as a whole when matrix or policies change, and when a date passes
    on which any answer could depend."""

    def __init__(self, kept: int = KEPT) -> None:
        self._found: Memory[_Key, Found] = Memory(kept)
        self._matrix: Matrix | None = None
        self._policies: Policies = NO_POLICIES
        self._since = 0
        self._until: int | None = None

    def blocking(self, subject: Subject, case: Case) -> Found:
        """What blocks a subject, as `blocking_in` answers."""
        self._under(case)
        key = _key(subject)
        if key is None:
            return blocking_in(subject, case)
        known = self._found.get(key)
        if known is None:
            known = blocking_in(subject, case)
            self._found.keep(key, known, _ENTRY + _OBJECTS * (len(repr(key)) + len(repr(known))))
        return known

    def _under(self, case: Case) -> None:
        matrix, policies, now = case.matrix, case.policies, case.now
        is_as_it_was = matrix is self._matrix and policies is self._policies
        if is_as_it_was and self._since <= now and (self._until is None or now < self._until):
            return
        self._found.clear()
        self._matrix, self._policies, self._since = matrix, policies, now
        dates = (matrix.next_change(now), matrix.next_lifecycle_change(now), policies.next_change(now))
        self._until = min((date for date in dates if date is not None), default=None)

    def held(self) -> int:
        """Bytes that it takes, as far as they are counted."""
        return self._found.held()


def _key(subject: Subject) -> _Key | None:
    """The whole question, where it is small and its manifest says no more than what an installed plugin tells, of
    which no part has a date. None for any other."""
    if len(subject.installed) > MOST_INSTALLED:
        return None
    plugin = installed_as(subject.manifest)
    if subject.together or manifest_of(plugin) != subject.manifest:
        return None
    return (plugin, subject.host, subject.installed, subject.runtimes, subject.database, subject.previous_version)


def found_in(subject: Subject, case: Case) -> Found:
    """Every finding of a subject beside the matrix and the policies of a case, at its time."""
    cases = read_cases_of(subject, case.matrix, case.policies, case.now)
    findings = findings_of(cases)
    return Found(findings, sum(weight(case, findings) for case in cases))


def blocking_in(subject: Subject, case: Case) -> Found:
    """The same of the findings that block; the weight is of all."""
    findings, looked_at = found_in(subject, case)
    return Found(tuple(finding for finding in findings if finding.blocks), looked_at)


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
