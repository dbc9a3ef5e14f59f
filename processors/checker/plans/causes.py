"""Why each change of a plan is made: the demand that it serves, and who states it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from processors.checker.attribution import attributed
from processors.checker.bounds import LONGEST_NAME, brief
from processors.checker.case import Case
from processors.checker.plans.solver import Node
from processors.events.report import Cause, Change, Finding, PlanStep
from processors.events.vocabulary import RemedyKind

MOST_CAUSES: Final = 32
"""The most changes of one plan that are explained, those of the first steps first."""


def with_causes(case: Case, node: Node, steps: Sequence[PlanStep]) -> tuple[PlanStep, ...]:
    """The steps, each with the demands that its changes serve."""
    causes = _causes(case, node)
    return tuple(
        replace(step, causes=tuple(causes[change] for change in step.changes if change in causes)) for step in steps
    )


def version_of(case: Case, made: Sequence[Change], finding: Finding) -> str:
    """The version of the plugin that has the demand, once some changes are made."""
    if finding.subject == case.plugin:
        return case.manifest.version
    enabled = RemedyKind.ENABLE_DEPENDENCY
    chosen = [c.to for c in made if c.target == finding.subject and c.kind is not enabled]
    there = case.others.get(finding.subject)
    return (chosen[-1] if chosen else there.version if there else None) or ""


def _causes(case: Case, node: Node) -> dict[Change, Cause]:
    """What was wrong without each change. A release that was later exchanged for another has no cause any more."""
    kept = set(node.changes)
    causes: dict[Change, Cause] = {}
    before: set[str] = set()
    for finding, change in node.trail:
        made = [other for other in node.changes if other.target in before]
        before.add(change.target)
        if change in kept and len(causes) < MOST_CAUSES:
            version = version_of(case, made, finding)
            causes[change] = _cause(attributed(case, finding, version), version, change)
    return causes


def _cause(finding: Finding, version: str, change: Change) -> Cause:
    demand = finding.required
    return Cause(
        target=brief(change.target),
        code=finding.code,
        subject=brief(finding.subject),
        version=brief(version),
        object=brief(finding.object),
        required=replace(demand, constraint=brief(demand.constraint, LONGEST_NAME), source=brief(demand.source)),
    )
