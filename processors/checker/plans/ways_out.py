"""Ways out of a block: plans that were found and verified, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from processors.checker.bounds import brief, brief_links
from processors.checker.case import Case
from processors.checker.plans.answer_cache import AnswerCache
from processors.checker.plans.causes import with_causes
from processors.checker.plans.derivation import derivation
from processors.checker.plans.effort import EFFORT, Effort, Exhausted
from processors.checker.plans.plan_check import PlanCheck, stated
from processors.checker.plans.solver import MOST_CHANGES, Node, Outcome, Solver
from processors.checker.plans.steps import steps_of
from processors.checker.plans.surroundings import Judgements
from processors.checker.sentences import left_to_do, orders
from processors.checker.sentences.fact import Asked
from processors.checker.workload import too_much
from processors.events.report import Change, Finding, Inference, PlanStep, Remediation, WaysOut
from processors.events.vocabulary import NEVER_EXCEPTED, Code, Ground

STOPPED: Final = "the search for ways out stopped at its effort limit; there may be some"
TOO_MANY: Final = (
    f"more than {MOST_CHANGES} changes would be needed, which nobody makes in one go; make some of them first, "
    "then ask again"
)
ASK_AGAIN: Final = "what the request says has to be corrected first; then ask again"
LESS: Final = "the request has to ask about less at once; then ask again"
UNREADABLE: Final = "what cannot be read has to be corrected first, by whoever wrote it; no exception covers it"
NONE_LISTED: Final = (
    "nothing that the matrix sources list helps, and none of them lists what is needed; have its vendor list it, "
    "or ask for an exception"
)
HOPELESS: Final = "nothing that an administrator could change here helps until this is fixed at its source"

MOST_LEFT_OPEN: Final = 8
"""The most findings that are set aside, one after the other, to find out what could be done about the others."""

_HOPELESS: Final = frozenset({Code.MATRIX_MISSING, Code.MATRIX_EXPIRED})


def ways_out(case: Case, findings: tuple[Finding, ...], before: AnswerCache | None = None) -> WaysOut:
    """Plans for a blocked request. Pure, and the same for the same inputs on any machine.

    `before` caches earlier searches: it makes this one faster and changes nothing.
    """
    blocking = tuple(finding for finding in findings if finding.blocks)
    if any(finding.code in _HOPELESS for finding in blocking):
        return WaysOut(note=HOPELESS)
    if case.host_version is None or case.described_twice or not case.matrix.names_host(case.subject.host.name):
        return WaysOut(note=ASK_AGAIN)
    if too_much(case.subject):
        return WaysOut(note=LESS)
    effort, judgements = Effort.of(case, findings), Judgements(case, before)
    plan_check = PlanCheck(case, effort, case.subject, judgements, known=findings)
    together = (manifest.id for manifest in case.subject.together)
    root = Node(case.subject, decided=frozenset({case.plugin, *together}))
    outcome = Solver(case, blocking, plan_check, effort).solve(root)
    plans = tuple(_plan(case, findings, node, judgements) for node in outcome.found)
    if plans:
        return WaysOut(plans=plans)
    return _none(case, findings, outcome, judgements, effort, root)


def _none(
    case: Case, findings: tuple[Finding, ...], outcome: Outcome, judgements: Judgements, effort: Effort, root: Node
) -> WaysOut:
    if outcome.stopped:
        return WaysOut(note=STOPPED, closest=_closest(case, findings, outcome, judgements))
    if outcome.cut:
        return WaysOut(note=TOO_MANY)
    unreadable = any(finding.blocks and finding.code in NEVER_EXCEPTED for finding in findings)
    unlisted = [finding for finding in findings if finding.blocks and finding.ground is Ground.UNLISTED]
    links, left, node = _what_is_left(case, findings, outcome, judgements, effort, root)
    note = (
        UNREADABLE
        if unreadable
        else _not_listed(unlisted) or left_to_do.left_to_do(brief_links(links), _asked(case))
    )
    if node is None:
        closest = _closest(case, findings, outcome, judgements)
    else:
        closest = _plan(case, findings, node, judgements, left) if node.changes else None
    return WaysOut(note=note, derivation=links, closest=closest)


def _not_listed(unlisted: Sequence[Finding]) -> str:
    """What to do about findings about things that no source lists; empty if there are none."""
    plugins = dict.fromkeys(brief(f.object) for f in unlisted if f.code is Code.DEPENDENCY_MISSING)
    return left_to_do.unlisted(tuple(plugins)) if plugins else NONE_LISTED if unlisted else ""


class _Left(NamedTuple):
    """Why nothing helps, the findings that no plan cures, and the plan for all others, if one is known."""

    links: tuple[Inference, ...]
    findings: tuple[str, ...]
    node: Node | None


def _what_is_left(
    case: Case, findings: tuple[Finding, ...], outcome: Outcome, judgements: Judgements, effort: Effort, root: Node
) -> _Left:
    """Set aside what rules out every plan, and search again until there is a plan for the rest."""
    links = derivation(case, outcome.ends)
    blocking = {finding.id: finding for finding in findings if finding.blocks}
    left: dict[str, Finding] = {}
    chain = links
    while not outcome.found and chain and chain[0].finding.id in blocking and len(left) < MOST_LEFT_OPEN:
        left[chain[0].finding.id] = chain[0].finding
        rest = tuple(finding for id, finding in blocking.items() if id not in left)
        plan_check = PlanCheck(
            case, effort, case.subject, judgements, known=rest, left_open=frozenset(map(stated, left.values()))
        )
        outcome = Solver(case, rest, plan_check, effort).solve(root)
        chain = () if outcome.found or outcome.stopped else derivation(case, outcome.ends)
        if chain and all(chain[-1].finding.id != link.finding.id for link in links):
            links += chain
    node = outcome.found[0] if outcome.found and left else None
    return _Left(links, tuple(sorted(left)), node)


def _plan(
    case: Case, findings: tuple[Finding, ...], node: Node, judgements: Judgements, left: tuple[str, ...] = ()
) -> Remediation:
    plan_check = PlanCheck(case, Effort(case, EFFORT), case.subject, judgements, asks=False)
    return _remediation(case, steps_of(case, findings, node, plan_check, left), node, left)


def _closest(
    case: Case, findings: tuple[Finding, ...], outcome: Outcome, judgements: Judgements
) -> Remediation | None:
    """What an exception would have to cover: the plan that leaves the fewest findings open and breaks nothing."""
    if outcome.closest is None:
        return None
    node, still_open = outcome.closest
    plan_check = PlanCheck(case, Effort(case, EFFORT), case.subject, judgements, asks=False)
    try:
        if plan_check.first(node.subject, node.changes) is not None:
            return None
    except Exhausted:
        return None
    left = tuple(sorted(finding.id for finding in still_open))
    return _remediation(case, steps_of(case, findings, node, plan_check, left), node, left)


def _remediation(case: Case, steps: Sequence[PlanStep], node: Node, leaves_open: tuple[str, ...]) -> Remediation:
    """The changes in the order of the steps. Another version of the plugin itself comes with the request."""
    made = [change for step in steps for change in step.changes]
    rest = [change for change in node.changes if change not in made]
    *before, last = steps
    steps = (*before, replace(last, changes=(*rest, *last.changes))) if rest else tuple(steps)
    changes = _in_order(steps)
    return Remediation(
        change=changes[0],
        also=changes[1:],
        verified=not leaves_open,
        cost=node.cost.number(),
        sentence=orders.done(steps) if leaves_open else orders.plan(steps, case.plugin, case.manifest.version),
        steps=with_causes(case, node, steps),
        leaves_open=leaves_open,
    )


def _asked(case: Case) -> Asked:
    together = tuple(brief(manifest.id) for manifest in case.subject.together)
    return Asked(brief(case.plugin), brief(case.manifest.version), brief(case.subject.host.name), together)


def _in_order(steps: Sequence[PlanStep]) -> tuple[Change, ...]:
    return tuple(change for step in steps for change in step.changes)
