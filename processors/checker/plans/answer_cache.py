"""A cache of questions that earlier searches for ways out have asked.

A search asks about every plugin that a change affects, together with only its surroundings. In a fleet the same
plugin has the same surroundings again and again. The answer depends on the question, the matrix, the policies and
the time, and not on the request that is being searched for.
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
"""The most bytes in each of the two generations."""

MOST_INSTALLED: Final = 32
"""The most installed plugins of a question that is kept.

A larger one rarely recurs, and costs more to keep than to ask.
"""

_ENTRY: Final = 512
"""Bytes that an entry takes in addition to question and findings."""

_OBJECTS: Final = 3
"""Bytes that values take for each character that describes them."""

_FINDING: Final = 5
"""The effort of turning an entry into a finding."""


_Key: TypeAlias = tuple[
    InstalledPlugin,
    Host,
    tuple[InstalledPlugin, ...],
    tuple[Provision, ...],
    Provision | None,
    str | None,
]


class Found(NamedTuple):
    """What was found for a question, and its weight: how much there was to look at."""

    findings: tuple[Finding, ...]
    weight: int


class AnswerCache:
    """Questions by their whole content.

    All are forgotten when matrix or policies change, and when a date passes on which any answer could depend.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._found: Memory[_Key, Found] = Memory(kept)
        self._matrix: Matrix | None = None
        self._policies: Policies = NO_POLICIES
        self._since = 0
        self._until: int | None = None

    def blocking(self, subject: Subject, case: Case) -> Found:
        """What blocks a subject, as `blocking_in` returns it."""
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
        """The bytes that it takes, as far as they are counted."""
        return self._found.held()


def _key(subject: Subject) -> _Key | None:
    """The whole question, if it is small and its manifest states no more than an installed plugin does, without
    dates. None for any other."""
    if len(subject.installed) > MOST_INSTALLED:
        return None
    plugin = installed_as(subject.manifest)
    if subject.together or manifest_of(plugin) != subject.manifest:
        return None
    return (plugin, subject.host, subject.installed, subject.runtimes, subject.database, subject.previous_version)


def found_in(subject: Subject, case: Case) -> Found:
    """Every finding of a subject under the matrix and the policies of a case, at its time."""
    cases = read_cases_of(subject, case.matrix, case.policies, case.now)
    findings = findings_of(cases)
    return Found(findings, sum(weight(case, findings) for case in cases))


def blocking_in(subject: Subject, case: Case) -> Found:
    """As `found_in`, but only the findings that block; the weight counts all."""
    findings, looked_at = found_in(subject, case)
    return Found(tuple(finding for finding in findings if finding.blocks), looked_at)


def weight(case: Case, findings: tuple[Finding, ...]) -> int:
    """How much there is to look at in a case: every entry of every list, and what was derived from them."""
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
    """Counts those lists of a release that the `requirements` of a case do not hold."""
    lists = (row.conflicts, row.runtimes, row.databases, row.provides, row.consumes, row.migrations)
    return sum(map(len, lists))
