"""Ways out of a block, found by asking the same question again with something changed: never by guessing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from processors.checker import words
from processors.checker.case import Case, readable
from processors.checker.repairs import repairs, with_offers
from processors.checker.search import Exhausted, Search, blocked
from processors.events.report import Change, Finding, Remediation
from processors.events.subject import InstalledPlugin, Manifest, Subject
from processors.events.vocabulary import NEVER_EXCEPTED, Code, RemedyKind
from processors.versions import Version

MOST_OFFERED = 5
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
ASK_AGAIN = "what the request says has to be corrected first; then ask again"
UNREADABLE = "what cannot be read has to be corrected first, by whoever wrote it; no exception covers it"
NONE_FOUND = "no change of one version, dependency, conflict or host helps; ask the vendor, or ask for an exception"
HOPELESS = "nothing that an administrator could change here helps until this is mended at its source"


class Remedies(NamedTuple):
    found: tuple[Remediation, ...]
    note: str


def remedies(case: Case, findings: tuple[Finding, ...]) -> Remedies:
    """At most five verified ways out of a block, the cheapest first, and a note where the search says less."""
    if any(f.code in _HOPELESS for f in findings if f.blocks):
        return Remedies((), HOPELESS)
    if case.host_version is None or case.twofold or not case.matrix.names_host(case.subject.host.name):
        return Remedies((), ASK_AGAIN)
    search = Search.of(case, findings)
    found: list[Remediation] = []
    note = ""
    try:
        for direction in _DIRECTIONS:
            found.extend(direction(case, findings, search))
    except Exhausted:
        note = STOPPED
    best = _undominated(sorted(found, key=lambda r: (r.cost, r.change.kind, r.change.target, r.change.to or "")))
    none = UNREADABLE if any(f.blocks and f.code in NEVER_EXCEPTED for f in findings) else NONE_FOUND
    return Remedies(tuple(best[:MOST_OFFERED]), note or ("" if best else none))


def _undominated(remedies: Iterable[Remediation]) -> list[Remediation]:
    """Without those that do all that a cheaper one does, and more: nobody upgrades a host for nothing."""
    kept: list[tuple[set[tuple[RemedyKind, str]], Remediation]] = []
    for remedy in remedies:
        touched = {(change.kind, change.target) for change in (remedy.change, *remedy.also)}
        if not any(less <= touched for less, _ in kept if less != touched):
            kept.append((touched, remedy))
    return [remedy for _, remedy in kept]


_HOPELESS = frozenset({Code.MATRIX_MISSING, Code.MATRIX_EXPIRED})


def _lower_version(case: Case, findings: tuple[Finding, ...], search: Search) -> Iterator[Remediation]:
    """The highest release below the one that is asked for that passes."""
    lower = [v for v in search.releases(case.plugin, case.version) if case.version is None or v < case.version]
    yield from _first(_other_release(case, v, search, 0) for v in reversed(lower[-MOST_TRIES:]))


def _higher_version(case: Case, findings: tuple[Finding, ...], search: Search) -> Iterator[Remediation]:
    """The lowest release above it that passes."""
    if case.version is not None:
        higher = [v for v in search.releases(case.plugin, case.version) if v > case.version]
        yield from _first(_other_release(case, v, search, _NEWER_VERSION) for v in higher[:MOST_TRIES])


def _host_upgrade(case: Case, findings: tuple[Finding, ...], search: Search) -> Iterator[Remediation]:
    """The smallest host version above the present one on which the request passes."""
    declared = case.matrix.host(case.subject.host.name)
    if declared is None or case.host_version is None:
        return
    parsed = (readable(text, case.dialect) for text in declared.releases)
    newer = sorted(v for v in parsed if v is not None and v > case.host_version)
    yield from _first(_other_host(case, version, search) for version in newer[:MOST_TRIES])


def _repair_in_place(case: Case, findings: tuple[Finding, ...], search: Search) -> Iterator[Remediation]:
    """The same plugin and host, with dependencies, runtimes and conflicts put in order."""
    changes = repairs(case, findings, search)
    if changes:
        yield _remedy(case, changes[0], changes[1:])


def _replacement(case: Case, findings: tuple[Finding, ...], search: Search) -> Iterator[Remediation]:
    """The plugin that the vendor or the catalogue names as this one's successor."""
    stated = [case.manifest.lifecycle.replacement, *(r.lifecycle.replacement for r in case.releases)]
    for successor in dict.fromkeys(filter(None, stated)):
        newest = reversed(search.releases(successor, case.version)[-MOST_TRIES:])
        yield from _first(_successor(case, successor, version, search) for version in newest)


_DIRECTIONS = (_lower_version, _higher_version, _repair_in_place, _host_upgrade, _replacement)


def _first(tries: Iterable[Remediation | None]) -> Iterator[Remediation]:
    for remedy in tries:
        if remedy is not None:
            yield remedy
            return


def _other_release(case: Case, version: Version, search: Search, extra: int) -> Remediation | None:
    manifest = Manifest(id=case.plugin, version=version.text)
    change = Change(RemedyKind.INSTALL_VERSION, case.plugin, version.text)
    return _passing(case, replace(case.subject, manifest=manifest), change, search, extra)


def _other_host(case: Case, version: Version, search: Search) -> Remediation | None:
    host = replace(case.subject.host, version=version.text)
    change = Change(RemedyKind.UPGRADE_HOST, host.name, version.text)
    return _passing(case, replace(case.subject, host=host), change, search, 0)


def _successor(case: Case, plugin: str, version: Version, search: Search) -> Remediation | None:
    """It takes the place of the plugin asked for, which is there until then if an older version of it is."""
    manifest = Manifest(id=plugin, version=version.text, replaces=(case.plugin,))
    others = tuple(p for p in case.subject.installed if p.id != case.plugin)
    older = (with_offers(p, case) for p in _older(case))
    subject = replace(case.subject, manifest=manifest, installed=(*others, *older), previous_version=None)
    change = Change(RemedyKind.REPLACE_PLUGIN, plugin, version.text)
    return _passing(case, subject, change, search, 0)


def _older(case: Case) -> tuple[InstalledPlugin, ...]:
    """The version of the plugin that is there now, also where only `previous_version` tells of it."""
    if case.previous is not None:
        return (case.previous,)
    return (InstalledPlugin(case.plugin, case.previous_text),) if case.previous_text else ()


def _passing(case: Case, subject: Subject, change: Change, search: Search, extra: int) -> Remediation | None:
    """A remedy out of one change, and of the small repairs that it needs besides."""
    other, findings = search.evaluate(subject)
    if not blocked(findings):
        return _remedy(case, change, (), extra)
    changes = repairs(other, findings, search)
    return _remedy(case, change, changes, extra) if changes else None


def _remedy(case: Case, change: Change, also: tuple[Change, ...], extra: int = 0) -> Remediation:
    return Remediation(
        change=change,
        also=also,
        verified=True,
        cost=sum(_COST[c.kind] for c in (change, *also)) + extra,
        sentence=words.orders((change, *also), case.plugin),
    )
