"""Judges several plugins that are installed in one step as one installation: each beside all the others."""

from __future__ import annotations

from dataclasses import replace

from processors.checker.case import Case, read_case
from processors.checker.host_provisions import with_plain_ids
from processors.checker.validator import in_order, stricter, validate
from processors.checker.workload import too_much
from processors.events.report import Finding, RowWeighed
from processors.events.subject import InstalledPlugin, Manifest, Subject
from processors.matrix.merged import Matrix
from processors.matrix.weighing import MOST_ROWS
from processors.policies import Policies


def read_cases_of(subject: Subject, matrix: Matrix, policies: Policies, now: int) -> tuple[Case, ...]:
    """A case for each plugin of the request, the main one first.

    A plugin that the request describes twice, in different ways, is judged as it is described first, and noted. Of
    a request that is too much to be judged there is one case, in which needs are left open; a rule blocks it.
    """
    is_too_much = bool(too_much(subject))
    if not subject.together and not is_too_much:
        return (read_case(subject, matrix, policies, now),)
    manifests, twice = _by_id(subject)
    step = _Step(subject, tuple(manifests.values()))
    if is_too_much:
        alone = step.alone(0)
        once = tuple({plugin.id: plugin for plugin in reversed(alone.installed)}.values())[::-1]
        bare = replace(alone, host=replace(subject.host, provides=()), installed=once)
        return (_without_needs(subject, read_case(bare, matrix, policies, now)),)
    first, *others = (read_case(step.alone(n), matrix, policies, now) for n in range(len(manifests)))
    return (replace(first, described_twice={**first.described_twice, **twice}) if twice else first, *others)


def _without_needs(subject: Subject, case: Case) -> Case:
    """The main plugin beside all others: what any of them needs is left open. Its subject is the whole one."""
    whole = replace(
        case.subject, host=subject.host, together=subject.together, installed=with_plain_ids(subject).installed
    )
    return replace(case, subject=whole, requirements=(), needs={})


def _by_id(subject: Subject) -> tuple[dict[str, Manifest], dict[str, frozenset[str]]]:
    """The manifests by id, and the versions of those that are described in two ways."""
    manifests: dict[str, Manifest] = {}
    twice: dict[str, set[str]] = {}
    for manifest in (subject.manifest, *subject.together):
        known = manifests.setdefault(manifest.id, manifest)
        if known is not manifest and known != manifest:
            twice.setdefault(manifest.id, {known.version}).add(manifest.version)
    return manifests, {id: frozenset(versions) for id, versions in twice.items()}


def findings_of(cases: tuple[Case, ...]) -> tuple[Finding, ...]:
    """Every finding of the cases, once each: of two with the same id, the stricter one is kept."""
    first, *others = (validate(case) for case in cases)
    if not others:
        return first
    found: dict[str, Finding] = {}
    for finding in (finding for findings in (first, *others) for finding in findings):
        known = found.get(finding.id)
        found[finding.id] = finding if known is None else stricter(known, finding)
    return in_order(found.values(), cases[0].matrix.weights)


def case_of(cases: tuple[Case, ...], finding: Finding) -> Case:
    """The case of the plugin that a finding is about; the first where it is about none of those asked for."""
    return next((case for case in cases if case.plugin == finding.subject), cases[0])


def rows_of(cases: tuple[Case, ...]) -> tuple[tuple[RowWeighed, ...], int]:
    """The rows that apply to any of the plugins, decisive ones first, and how many apply.

    A row that applies to several plugins is shown once, as decisive if it is so for one of them. Beyond the rows
    that a weighing shows it counts for each of them.
    """
    if len(cases) == 1:
        return cases[0].weighing.rows, cases[0].weighing.count
    shown = [row for case in cases for row in case.weighing.rows]
    rows: dict[tuple[str, int], RowWeighed] = {}
    for row in sorted(shown, key=lambda row: not row.decisive):
        rows.setdefault((row.source, row.row), row)
    count = sum(case.weighing.count for case in cases) - (len(shown) - len(rows))
    return tuple(rows.values())[:MOST_ROWS], count


class _Step:
    """What is installed at once, and beside what."""

    def __init__(self, subject: Subject, manifests: tuple[Manifest, ...]) -> None:
        self._subject, self._manifests = subject, manifests
        self._there = tuple(map(installed_as, manifests))
        ids = {manifest.id for manifest in manifests}
        self._kept = tuple(plugin for plugin in subject.installed if plugin.id not in ids)
        self._older = {plugin.id for plugin in subject.installed if plugin.id in ids}

    def alone(self, which: int) -> Subject:
        """One of the requested plugins, as if all the others were installed already."""
        manifest = self._manifests[which]
        kept = self._kept
        if manifest.id in self._older:
            mine = manifest.id
            gone = {manifest.id for manifest in self._manifests} - {mine}
            kept = tuple(plugin for plugin in self._subject.installed if plugin.id not in gone)
        return replace(
            self._subject,
            manifest=manifest,
            installed=(*kept, *self._there[:which], *self._there[which + 1 :]),
            previous_version=self._subject.previous_version if which == 0 else None,
            together=(),
        )


def installed_as(manifest: Manifest) -> InstalledPlugin:
    """A plugin as it is listed once it has been installed."""
    return InstalledPlugin(
        id=manifest.id,
        version=manifest.version,
        requires=manifest.requires,
        conflicts=manifest.conflicts,
        provides=manifest.provides,
        consumes=manifest.consumes,
        migrations=manifest.migrations,
        data_format=manifest.data_format,
    )
