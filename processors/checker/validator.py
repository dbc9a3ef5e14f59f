"""All rules, in one table, applied to one case: every finding, the most costly first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from processors.checker.case import Case
from processors.checker.risk import UNWEIGHTED, percent
from processors.checker.rules import (
    api_schema,
    closure,
    conflict,
    cycle,
    database,
    dependency,
    host,
    invalid,
    lifecycle,
    matrix,
    migration,
    runtime,
    saved_data,
    security,
)
from processors.events.report import Finding
from processors.events.vocabulary import Code, Dimension, Effect, Ground
from processors.matrix.document import GOVERNANCE, Override, Rule

RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    invalid.manifest_is_valid,
    invalid.ranges_can_be_read,
    invalid.host_version_is_valid,
    invalid.the_request_agrees_with_itself,
    invalid.the_request_can_be_judged,
    matrix.matrix_is_loaded,
    matrix.matrix_is_fresh,
    matrix.plugin_is_listed,
    matrix.host_is_known,
    matrix.rows_allow,
    host.host_fits,
    host.host_is_declared,
    dependency.dependencies_are_met,
    dependency.dependents_stay_whole,
    closure.what_is_needed_works,
    cycle.dependencies_make_no_cycle,
    conflict.no_conflict_is_installed,
    conflict.nothing_installed_declares_a_conflict,
    runtime.runtimes_fit,
    runtime.runtime_is_declared,
    database.database_is_supported,
    database.migrations_speak_the_database,
    api_schema.contracts_are_offered,
    lifecycle.lifecycle_is_active,
    security.baseline_is_met,
    security.no_advisory_applies,
)

WHERE_SOMETHING_IS_REPLACED: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    api_schema.contracts_are_kept,
    migration.no_downgrade,
    migration.migrations_can_be_undone,
    migration.migrations_keep_their_content,
    migration.migrations_have_no_gap,
    migration.data_format_can_be_read,
    saved_data.saved_data_is_read,
)
"""Rules that never apply to a fresh installation."""

NEVER_LOOSENED = frozenset(
    {Code.MANIFEST_INVALID, Code.CONSTRAINT_INVALID, Code.MATRIX_MISSING, Code.MATRIX_EXPIRED}
)
"""Nobody can know what these would let through, so not even governance can override them."""


def validate(case: Case) -> tuple[Finding, ...]:
    """Every finding of a case, once each, weighed by the matrix; blocks first, then by weight and severity.

    If several sources state the same demand, the strictest reading is kept, and the first source that states it is
    named.
    """
    found: dict[str, Finding] = {}
    replaces = case.previous_text is not None or bool(case.replaced)
    for finding in _found(case, replaces=replaces):
        weighed = _weighed(case, finding)
        known = found.get(id := weighed.id)
        if known is None or _strictness(weighed) > _strictness(known):
            found[id] = weighed
    if not found:
        return ()
    _drop_what_says_less(found)
    return in_order(_related(found), case.matrix.weights)


def _found(case: Case, *, replaces: bool) -> Iterator[Finding]:
    for rule in RULES:
        yield from rule(case)
    for reading in case.readings() if replaces else ():
        for rule in WHERE_SOMETHING_IS_REPLACED:
            yield from rule(reading)


def _drop_what_says_less(found: dict[str, Finding]) -> None:
    """A host range counts as undeclared if only sources state one that do not speak for the plugin. Where it is
    violated at least as gravely, that alone is reported."""
    undeclared = next((finding for finding in found.values() if finding.code is Code.HOST_UNDECLARED), None)
    if undeclared is not None and any(_says_more(finding, undeclared) for finding in found.values()):
        del found[undeclared.id]


def _says_more(finding: Finding, undeclared: Finding) -> bool:
    stricter_effect = finding.blocks or not undeclared.blocks
    is_violated = finding.code in (Code.HOST_TOO_OLD, Code.HOST_TOO_NEW, Code.HOST_PRERELEASE_EXCLUDED)
    return is_violated and stricter_effect and finding.severity_percent >= undeclared.severity_percent


def in_order(findings: Iterable[Finding], weights: Mapping[Dimension, int]) -> tuple[Finding, ...]:
    """Blocks first; what the administrator cannot change before the rest; then the most costly."""
    return tuple(sorted(findings, key=lambda finding: _order(finding, weights)))


def stricter(one: Finding, other: Finding) -> Finding:
    """Of two findings with one id, the stricter; the first where they are equal."""
    return other if _strictness(other) > _strictness(one) else one


def _weighed(case: Case, finding: Finding) -> Finding:
    number = percent(finding.severity, case.matrix.severities, optional=finding.optional)
    loosened = finding.blocks and override_of(case, finding) is not None
    return replace(finding, severity_percent=number, effect=Effect.WARN if loosened else finding.effect)


def override_of(case: Case, finding: Finding) -> tuple[Rule, Override] | None:
    """The row by which governance overrides a finding: by its code, or by the source whose catalogue states it.

    A source's own rows that governance overrides never become findings, and governance overrides no row of its own.
    """
    demand = finding.required
    its_own = demand.stated_by == "matrix" and demand.source == GOVERNANCE and demand.row is not None
    if not case.weighing.overrides or finding.code in NEVER_LOOSENED or its_own:
        return None
    names = (finding.code, demand.source) if demand.stated_by == "catalogue" else (finding.code,)
    return case.weighing.override_of(*names)


def _related(found: dict[str, Finding]) -> Iterator[Finding]:
    """Mark derived findings: of several about one thing, the most severe is the cause and the others follow from
    it."""
    worst: dict[tuple[str, str, str], tuple[tuple[bool, int, bool], str]] = {}
    for id, finding in found.items():
        at, rank = (finding.code, finding.subject, finding.object), (_strictness(finding), id)
        if at not in worst or rank > worst[at]:
            worst[at] = rank
    for id, finding in found.items():
        cause = worst[finding.code, finding.subject, finding.object][1]
        derived = finding.derived_from is None and cause != id
        yield replace(finding, derived_from=cause) if derived else finding


_GRAVEST_LAST = ("PATCH", "PRERELEASE", "STALE", "MINOR", "UNKNOWN", "IRREVERSIBLE", "MISSING", "MAJOR")


def _strictness(finding: Finding) -> tuple[bool, int, bool]:
    return finding.blocks, _GRAVEST_LAST.index(finding.severity), not finding.optional


def _order(finding: Finding, weights: Mapping[Dimension, int]) -> tuple[bool, bool, int, str, str, str, str]:
    required = finding.required.constraint
    impact = finding.severity_percent * weights.get(finding.dimension, UNWEIGHTED)
    fixed = not (finding.dimension in _FIXED or finding.code in _HOPELESS or finding.ground is Ground.UNLISTED)
    return (not finding.blocks, fixed, -impact, finding.code, finding.subject, finding.object, required)


_FIXED = frozenset({Dimension.MANIFEST, Dimension.MATRIX, Dimension.HOST})
"""What the administrator cannot change comes first: fixing anything else before would be useless."""

_HOPELESS = frozenset({Code.DEPENDENCY_CYCLE})
