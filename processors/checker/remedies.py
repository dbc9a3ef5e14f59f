"""Ways out of a block, found by asking the same question again with something changed: never by guessing.

The search is bounded by effort and not by a clock, so that the same inputs have the same report on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from processors.checker import words
from processors.checker.case import Case, read_case, readable
from processors.checker.statements import Statement
from processors.checker.validator import validate
from processors.errors import Refused
from processors.events.report import Change, Finding, Remediation
from processors.events.subject import InstalledPlugin, Manifest, Provision, Subject
from processors.events.vocabulary import Code, RemedyKind
from processors.versions import Version

EFFORT = 20_000
"""How much the search may look at, in installed plugins and requirements weighed. About 20 ms of one core."""

AT_LEAST = 12
"""Evaluations that even a large subject gets."""

AT_MOST = 100_000
"""The effort beyond which no subject goes, however large it is."""

MOST_OFFERED = 5
MOST_CHANGES = 8
MOST_TRIES = 16
"""Versions tried in each direction before a direction is given up."""

_COST = {
    RemedyKind.ENABLE_DEPENDENCY: 5,
    RemedyKind.INSTALL_VERSION: 10,
    RemedyKind.INSTALL_DEPENDENCY: 20,
    RemedyKind.UPGRADE_DEPENDENCY: 25,
    RemedyKind.REMOVE_CONFLICT: 40,
    RemedyKind.UPGRADE_RUNTIME: 50,
    RemedyKind.UPGRADE_HOST: 60,
    RemedyKind.REPLACE_PLUGIN: 70,
}
_NEWER_VERSION = 5
"""Added for a newer plugin version than the one asked for: it was not what anybody had planned."""

STOPPED = "the search for ways out stopped at its effort limit; there may be more"
ASK_AGAIN = "what the request says of the host has to be corrected first; then ask again"
NONE_FOUND = "no change of one version, dependency, conflict or host helps; ask the vendor, or ask for an exception"
HOPELESS = "nothing that an administrator could change here helps until this is mended at its source"


class Remedies(NamedTuple):
    found: tuple[Remediation, ...]
    note: str


class _Exhausted(Exception):
    """The effort is used up."""


@dataclass(slots=True)
class _Effort:
    left: int

    def spend(self, subject: Subject) -> None:
        if self.left <= 0:
            raise _Exhausted
        self.left -= _weight(subject)


def remedies(case: Case, findings: tuple[Finding, ...]) -> Remedies:
    """At most five verified ways out of a block, the cheapest first, and a note where the search says less."""
    if any(f.code in _HOPELESS for f in findings if f.blocks):
        return Remedies((), HOPELESS)
    if case.host_version is None or case.twofold or not case.matrix.names_host(case.subject.host.name):
        return Remedies((), ASK_AGAIN)
    effort = _Effort(min(AT_MOST, max(EFFORT, AT_LEAST * _weight(case.subject))))
    found: list[Remediation] = []
    note = ""
    try:
        for direction in _DIRECTIONS:
            found.extend(direction(case, findings, effort))
    except _Exhausted:
        note = STOPPED
    best = _undominated(sorted(found, key=lambda r: (r.cost, r.change.kind, r.change.target, r.change.to or "")))
    return Remedies(tuple(best[:MOST_OFFERED]), note or ("" if best else NONE_FOUND))


def _undominated(remedies: Iterable[Remediation]) -> list[Remediation]:
    """Without those that do all that a cheaper one does, and more: nobody upgrades a host for nothing."""
    kept: list[tuple[set[tuple[RemedyKind, str]], Remediation]] = []
    for remedy in remedies:
        touched = {(change.kind, change.target) for change in (remedy.change, *remedy.also)}
        if not any(less <= touched for less, _ in kept if less != touched):
            kept.append((touched, remedy))
    return [remedy for _, remedy in kept]


_HOPELESS = frozenset({Code.MATRIX_MISSING, Code.MATRIX_EXPIRED})


def _lower_version(case: Case, findings: tuple[Finding, ...], effort: _Effort) -> Iterator[Remediation]:
    """The highest release below the one that is asked for that passes."""
    lower = [v for v in _versions(case, case.plugin) if case.version is None or v < case.version]
    yield from _first(_other_release(case, v, effort, 0) for v in reversed(lower[-MOST_TRIES:]))


def _higher_version(case: Case, findings: tuple[Finding, ...], effort: _Effort) -> Iterator[Remediation]:
    """The lowest release above it that passes."""
    if case.version is not None:
        higher = [v for v in _versions(case, case.plugin) if v > case.version]
        yield from _first(_other_release(case, v, effort, _NEWER_VERSION) for v in higher[:MOST_TRIES])


def _host_upgrade(case: Case, findings: tuple[Finding, ...], effort: _Effort) -> Iterator[Remediation]:
    """The smallest host version above the present one on which the request passes."""
    declared = case.matrix.host(case.subject.host.name)
    if declared is None or case.host_version is None:
        return
    parsed = (readable(text, case.dialect) for text in declared.releases)
    newer = sorted(v for v in parsed if v is not None and v > case.host_version)
    yield from _first(_other_host(case, version, effort) for version in newer[:MOST_TRIES])


def _repair_in_place(case: Case, findings: tuple[Finding, ...], effort: _Effort) -> Iterator[Remediation]:
    """The same plugin and host, with dependencies, runtimes and conflicts put in order."""
    repaired = _repaired(case.subject, case, findings, effort)
    if repaired is not None:
        changes = repaired.changes
        yield _remedy(case, changes[0], changes[1:])


def _replacement(case: Case, findings: tuple[Finding, ...], effort: _Effort) -> Iterator[Remediation]:
    """The plugin that the vendor or the catalogue names as this one's successor."""
    stated = [case.manifest.lifecycle.replacement, *(r.lifecycle.replacement for r in case.releases)]
    for successor in dict.fromkeys(filter(None, stated)):
        newest = reversed(_versions(case, successor)[-MOST_TRIES:])
        yield from _first(_successor(case, successor, version, effort) for version in newest)


_DIRECTIONS = (_lower_version, _higher_version, _host_upgrade, _repair_in_place, _replacement)


def _first(tries: Iterable[Remediation | None]) -> Iterator[Remediation]:
    for remedy in tries:
        if remedy is not None:
            yield remedy
            return


def _other_release(case: Case, version: Version, effort: _Effort, extra: int) -> Remediation | None:
    manifest = Manifest(id=case.plugin, version=version.text)
    change = Change(RemedyKind.INSTALL_VERSION, case.plugin, version.text)
    return _passing(case, replace(case.subject, manifest=manifest), change, effort, extra)


def _other_host(case: Case, version: Version, effort: _Effort) -> Remediation | None:
    host = replace(case.subject.host, version=version.text)
    change = Change(RemedyKind.UPGRADE_HOST, host.name, version.text)
    return _passing(case, replace(case.subject, host=host), change, effort, 0)


def _successor(case: Case, plugin: str, version: Version, effort: _Effort) -> Remediation | None:
    kept = tuple(p for p in case.subject.installed if p.id != case.plugin)
    subject = replace(case.subject, manifest=Manifest(id=plugin, version=version.text), installed=kept)
    change = Change(RemedyKind.REPLACE_PLUGIN, plugin, version.text)
    return _passing(case, replace(subject, previous_version=None), change, effort, 0)


def _passing(case: Case, subject: Subject, change: Change, effort: _Effort, extra: int) -> Remediation | None:
    """A remedy out of one change, and of the small repairs that it needs besides."""
    other, findings = _evaluate(subject, case, effort)
    if not _blocked(findings):
        return _remedy(case, change, (), extra)
    repaired = _repaired(subject, other, findings, effort)
    return None if repaired is None else _remedy(case, change, repaired.changes, extra)


class _Repaired(NamedTuple):
    subject: Subject
    changes: tuple[Change, ...]


def _repaired(subject: Subject, case: Case, findings: tuple[Finding, ...], effort: _Effort) -> _Repaired | None:
    """The subject with everything put in order that blocks it; None where something cannot be, or not verified."""
    blocking = [f for f in findings if f.blocks]
    if not blocking or len({f.object for f in blocking}) > MOST_CHANGES:
        return None
    changes: dict[str, Change] = {}
    for finding in blocking:
        repair = _REPAIRS.get(finding.code)
        made = repair(case, finding, findings, effort) if repair else None
        if made is None:
            return None
        earlier = changes.get(made.target)
        if earlier is None or earlier.kind is RemedyKind.ENABLE_DEPENDENCY:  # an upgrade enables as well
            changes[made.target] = made
        subject = _changed(subject, case, made)
    _, left = _evaluate(subject, case, effort)
    return None if _blocked(left) else _Repaired(subject, tuple(changes.values()))


def _dependency(case: Case, finding: Finding, findings: tuple[Finding, ...], effort: _Effort) -> Change | None:
    """The newest release of a dependency that everybody who needs it admits, and that itself runs here."""
    name = finding.object
    kind = RemedyKind.UPGRADE_DEPENDENCY if name in case.others else RemedyKind.INSTALL_DEPENDENCY
    admitted = [v for v in _versions(case, name) if _suits(case, name, v)]
    for version in reversed(admitted[-4:]):
        alone = replace(case.subject, manifest=Manifest(id=name, version=version.text), previous_version=None)
        if not _blocked(_evaluate(alone, case, effort)[1]):
            return Change(kind, name, version.text)
    return None


def _suits(case: Case, name: str, version: Version) -> bool:
    """Whether the plugin asked for and every installed plugin admit this version of a dependency."""
    ranges = [statement for need, statement in case.requirements if need.id == name]
    for id, needs in case.needs.items():
        ranges += [Statement(need.range, "installed", id) for need in needs if need.id == name]
    try:
        return all(statement.range(case.dialect).admits(version) for statement in ranges)
    except Refused:
        return False


def _enable(case: Case, finding: Finding, findings: tuple[Finding, ...], effort: _Effort) -> Change | None:
    return Change(RemedyKind.ENABLE_DEPENDENCY, finding.object, case.others[finding.object].version)


def _remove(case: Case, finding: Finding, findings: tuple[Finding, ...], effort: _Effort) -> Change | None:
    """The other side of a conflict goes, unless something that stays needs it."""
    foe = finding.object if finding.subject == case.plugin else finding.subject
    needed = any(n.id == foe and not n.optional for id, needs in case.needs.items() if id != foe for n in needs)
    return None if needed else Change(RemedyKind.REMOVE_CONFLICT, foe, None)


def _runtime(case: Case, finding: Finding, findings: tuple[Finding, ...], effort: _Effort) -> Change | None:
    """The lowest version that every blocking demand on this runtime names."""
    demands = [f.required.constraint for f in findings if f.object == finding.object and f.code is finding.code]
    try:
        lowest = [Statement(text, "", "").range(case.dialect.NPM).lowest() for text in demands]
    except Refused:
        return None
    named = [version for version in lowest if version is not None]
    return Change(RemedyKind.UPGRADE_RUNTIME, finding.object, max(named).text) if named else None


_REPAIRS = {
    Code.DEPENDENCY_MISSING: _dependency,
    Code.DEPENDENCY_TOO_OLD: _dependency,
    Code.DEPENDENCY_DISABLED: _enable,
    Code.PLUGIN_CONFLICT: _remove,
    Code.CONFLICT_REVERSE: _remove,
    Code.RUNTIME_TOO_OLD: _runtime,
}


def _changed(subject: Subject, case: Case, change: Change) -> Subject:
    others = tuple(p for p in subject.installed if p.id != change.target)
    match change.kind:
        case RemedyKind.INSTALL_DEPENDENCY | RemedyKind.UPGRADE_DEPENDENCY:
            return replace(subject, installed=(*others, _as_installed(case, change.target, change.to or "")))
        case RemedyKind.ENABLE_DEPENDENCY:
            enabled = tuple(replace(p, enabled=True) for p in subject.installed if p.id == change.target)
            return replace(subject, installed=(*others, *enabled))
        case RemedyKind.REMOVE_CONFLICT:
            return replace(subject, installed=others)
        case _:
            kept = tuple(r for r in subject.runtimes if r.id != change.target)
            return replace(subject, runtimes=(*kept, Provision(change.target, change.to or "")))


def _as_installed(case: Case, plugin: str, version: str) -> InstalledPlugin:
    rows = case.matrix.release(plugin, version)
    return InstalledPlugin(
        plugin,
        version,
        requires=tuple(n for row in rows for n in row.requires),
        conflicts=tuple(n for row in rows for n in row.conflicts),
        provides=tuple(p for row in rows for p in row.provides),
        consumes=tuple(n for row in rows for n in row.consumes),
    )


def _evaluate(subject: Subject, case: Case, effort: _Effort) -> tuple[Case, tuple[Finding, ...]]:
    effort.spend(subject)
    other = read_case(subject, case.matrix, case.policies, case.now)
    return other, validate(other)


def _blocked(findings: tuple[Finding, ...]) -> bool:
    return any(f.blocks for f in findings)


def _weight(subject: Subject) -> int:
    return 40 + len(subject.installed) + len(subject.manifest.requires)


def _versions(case: Case, plugin: str) -> list[Version]:
    """Every release in the catalogue, oldest first; pre-releases only where one is asked for."""
    parsed = {readable(release.version, case.dialect) for release in case.matrix.releases(plugin)}
    wanted = case.version is not None and case.version.is_prerelease
    return sorted(v for v in parsed if v is not None and (wanted or not v.is_prerelease))


def _remedy(case: Case, change: Change, also: tuple[Change, ...], extra: int = 0) -> Remediation:
    return Remediation(
        change=change,
        also=also,
        verified=True,
        cost=sum(_COST[c.kind] for c in (change, *also)) + extra,
        sentence=words.orders((change, *also), case.plugin),
    )
