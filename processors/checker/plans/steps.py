"""The order of the changes of a way out, each step verified by the check."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from processors.checker.case import Case
from processors.checker.plans.effort import Effort, Exhausted
from processors.checker.plans.plan_check import PlanCheck
from processors.checker.plans.situation import changed
from processors.checker.plans.solver import Cured, Node
from processors.events.report import Change, Finding, PlanStep
from processors.events.subject import Subject
from processors.events.vocabulary import RemedyKind

_WITH_THE_REQUEST = frozenset({RemedyKind.INSTALL_VERSION, RemedyKind.REPLACE_PLUGIN})
_PLACE = {
    RemedyKind.UPGRADE_RUNTIME: 0,
    RemedyKind.UPGRADE_HOST: 1,
    RemedyKind.REMOVE_CONFLICT: 2,
    RemedyKind.ENABLE_DEPENDENCY: 4,
}


def steps_of(
    case: Case, findings: Sequence[Finding], node: Node, plan_check: PlanCheck, leaves_open: Collection[str] = ()
) -> tuple[PlanStep, ...]:
    """The smallest possible steps: single changes first, else several together, else together with the request.

    After each step, every plugin that fitted before still fits, and every changed plugin fits. The last step
    carries out the request. `plan_check` judges the installation without the request; `leaves_open` is what blocks
    the request in the end.
    """
    blocking = {finding.id for finding in findings if finding.blocks}
    final = blocking & set(leaves_open)
    try:
        return tuple(_steps(case, blocking, final, node, plan_check))
    except Exhausted:
        return (PlanStep(node.changes, True, tuple(sorted(blocking - final))),)


def order_of(
    case: Case, changes: Sequence[Change], trail: Sequence[Cured], plan_check: PlanCheck
) -> tuple[PlanStep, ...]:
    """The steps of changes that are made without a request.

    After each step, every plugin that fitted before still fits, and every changed plugin fits. Changes that can
    only be made together form one step; so do all remaining changes once the effort is used up.
    """
    waiting, made, steps, subject = ordered(changes, trail), list[Change](), list[PlanStep](), case.subject
    try:
        while group := _group(case, subject, made, waiting, plan_check):
            for change in group:
                waiting.remove(change)
                subject = changed(subject, change, case)
            made += group
            steps.append(PlanStep(tuple(group)))
    except Exhausted:
        pass
    return (*steps, PlanStep(tuple(waiting))) if waiting else tuple(steps)


def _group(
    case: Case, subject: Subject, made: Sequence[Change], waiting: Sequence[Change], plan_check: PlanCheck
) -> list[Change]:
    """The smallest set of changes that can be made together now; empty if nothing is left."""
    best, tried = list[Change](), list[Change]()
    for first in waiting:
        group = _drawn(case, subject, made, first, waiting, tried, plan_check)
        if group and (not best or len(group) < len(best)):
            best = group
        if len(best) == 1:
            break
        tried.append(first)
    return best


def _drawn(
    case: Case,
    subject: Subject,
    made: Sequence[Change],
    first: Change,
    waiting: Sequence[Change],
    tried: Sequence[Change],
    plan_check: PlanCheck,
) -> list[Change]:
    """A change with all changes that it depends on.

    Empty if that is not enough, or if one of them was tried first already: its group is no larger.
    """
    group, after = [first], changed(subject, first, case)
    while (wrong := plan_check.first(after, (*made, *group))) is not None:
        named = {id for finding in wrong.findings for id in (finding.subject, finding.object, *finding.path)}
        more = [change for change in waiting if change not in group and change.target in named]
        if not more or any(change in tried for change in more):
            return []
        group = [change for change in waiting if change in group or change in more]
        for change in more:
            after = changed(after, change, case)
    return group


def ordered(changes: Sequence[Change], trail: Sequence[Cured]) -> list[Change]:
    """What other changes build on comes first: the host and its runtimes, then what another change needs."""
    depth: dict[str, int] = {}
    for cured in trail:
        depth[cured.change.target] = depth.get(cured.finding.subject, 0) + 1

    def place(change: Change) -> tuple[int, int]:
        return _PLACE.get(change.kind, len(_PLACE) - 1), -depth.get(change.target, 0)

    return sorted((c for c in changes if c.kind not in _WITH_THE_REQUEST), key=place)


def _steps(
    case: Case, blocking: set[str], final: set[str], node: Node, plan_check: PlanCheck
) -> Iterator[PlanStep]:
    waiting, made, still_open, subject = ordered(node.changes, node.trail), list[Change](), blocking, case.subject
    while group := _possible(case, subject, made, waiting, plan_check):
        for change in group:
            waiting.remove(change)
            subject = changed(subject, change, case)
        made += group
        all_made = not waiting and not node.asks_other
        now_open = final if all_made else _open(subject, plan_check.effort) & blocking
        yield PlanStep(tuple(group), False, tuple(sorted(still_open - now_open)))
        still_open = now_open
    yield PlanStep(tuple(waiting), True, tuple(sorted(still_open - final)))


def _possible(
    case: Case, subject: Subject, made: Sequence[Change], waiting: Sequence[Change], plan_check: PlanCheck
) -> list[Change]:
    """The first change that can be made alone now, else the smallest set that can be made together.

    None if the rest goes with the request, or if it is unknown whether it has to.
    """
    try:
        for change in waiting:
            if plan_check.first(changed(subject, change, case), (*made, change)) is None:
                return [change]
        return _group(case, subject, made, waiting, plan_check)
    except Exhausted:
        return []


def _open(subject: Subject, effort: Effort) -> set[str]:
    return {finding.id for finding in effort.evaluate(subject) if finding.blocks}
