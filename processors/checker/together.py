"""Judges several plugins that are installed in one step as one installation: each beside all the others."""

from __future__ import annotations

from dataclasses import replace

from processors.checker.case import Case, read_case
from processors.checker.validator import in_order, stricter, validate
from processors.events.report import Finding, RowWeighed
from processors.events.subject import InstalledPlugin, Manifest, Subject
from processors.matrix.merged import Matrix
from processors.matrix.weighing import MOST_ROWS
from processors.policies import Policies


def read_cases_of(subject: Subject, matrix: Matrix, policies: Policies, now: int) -> tuple[Case, ...]:
    """A case for each plugin of the request, the main one first."""
    if not subject.together:
        return (read_case(subject, matrix, policies, now),)
    manifests = (subject.manifest, *subject.together)
    return tuple(read_case(_alone(subject, n, manifests), matrix, policies, now) for n in range(len(manifests)))


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


def _alone(subject: Subject, which: int, manifests: tuple[Manifest, ...]) -> Subject:
    """One of the requested plugins, as if all the others were installed already."""
    others = [manifest for n, manifest in enumerate(manifests) if n != which]
    come = {manifest.id for manifest in others}
    kept = tuple(plugin for plugin in subject.installed if plugin.id not in come)
    previous = subject.previous_version if which == 0 else None
    return replace(
        subject,
        manifest=manifests[which],
        installed=(*kept, *map(installed_as, others)),
        previous_version=previous,
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
