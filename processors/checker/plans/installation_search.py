"""Searches for a plan after which every enabled plugin of an installation fits, without any request.

Each plugin is judged by the check itself. A plugin that rules out every plan is excused and the search goes on, so
that the result names all plugins that hold the installation back, and what could be done for the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from processors.checker.case import Case, read_case
from processors.checker.plans.branches import Branches
from processors.checker.plans.catalogue import Catalogue
from processors.checker.plans.causes import with_causes
from processors.checker.plans.cost import Cost
from processors.checker.plans.derivation import derivation
from processors.checker.plans.effort import INSTALLATION, Effort, Exhausted
from processors.checker.plans.plan_check import PlanCheck
from processors.checker.plans.situation import NOT_TOLD, asking, manifest_of
from processors.checker.plans.solver import MOST_CHANGES, Node, Outcome, Solver
from processors.checker.plans.steps import order_of, ordered
from processors.checker.plans.surroundings import Judgements
from processors.checker.sentences import orders
from processors.events.report import Change, Finding, Inference, PlanStep, Remediation
from processors.events.subject import InstalledPlugin, Manifest
from processors.events.vocabulary import Code, RemedyKind

_OWN: Final = frozenset(
    {
        *(Code.HOST_TOO_OLD, Code.HOST_TOO_NEW, Code.HOST_PRERELEASE_EXCLUDED, Code.HOST_UNDECLARED),
        *(Code.MATRIX_BLOCK, Code.LIFECYCLE_SUNSET, Code.SECURITY_ADVISORY, Code.SECURITY_BASELINE_LOW),
        Code.DATABASE_UNSUPPORTED,
    }
)
"""Findings that only another release of the plugin itself can cure, once the host is decided."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A plugin that rules out every plan, and why: a chain of facts that ends with the demand that nothing can
    meet."""

    plugin: str
    version: str
    links: tuple[Inference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The result of a search: plans for all plugins that are not held back; none if nothing has to be changed."""

    plans: tuple[Remediation, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    unstated: tuple[str, ...] = ()
    is_cheapest: bool = True
    stopped: bool = False


class InstallationSearch:
    """One search.

    `end` is the installation on the target host, `start` is it on the present host, if that is known.
    """

    def __init__(self, start: Case | None, end: Case, *, moves: bool) -> None:
        self._start = start
        self._end = end
        self._moves = moves
        self._not_told = NOT_TOLD - {Code.HOST_UNDECLARED} if moves else NOT_TOLD
        self._judgements = Judgements(end)
        self._enabled = tuple(plugin for plugin in end.others.values() if plugin.enabled)

    def found(self) -> Found:
        unstated = self._unstated() if self._moves else ()
        try:
            unfit = self._unfit()
            held = [back for plugin in unfit if (back := self._alone(plugin, unfit)) is not None]
            outcome, is_cheapest = self._together(held, unfit)
        except Exhausted:
            return Found(unstated=unstated, stopped=True)
        if outcome.stopped or (outcome.cut and not outcome.found):
            return Found(held_back=tuple(held), unstated=unstated, stopped=True)
        plans = [plan for node in outcome.found if (plan := self._plan(node, held)) is not None]
        known = {back.plugin for back in held}
        unstated = tuple(id for id in unstated if id not in known)
        return Found(plans=tuple(plans), held_back=tuple(held), unstated=unstated, is_cheapest=is_cheapest)

    def _unfit(self) -> Mapping[InstalledPlugin, tuple[Finding, ...]]:
        """Every enabled plugin that does not fit the host or the other plugins, and why. Raises Exhausted."""
        effort = Effort(self._end, INSTALLATION)
        there, found = self._end.subject.installed, dict[InstalledPlugin, tuple[Finding, ...]]()
        for plugin in self._enabled:
            question = asking(self._end.subject, there, manifest_of(plugin), None)
            blocking = self._judgements.blocking(question, there, effort)
            if counting := tuple(f for f in blocking if f.code not in self._not_told):
                found[plugin] = counting
        return found

    def _alone(
        self, plugin: InstalledPlugin, unfit: Mapping[InstalledPlugin, tuple[Finding, ...]]
    ) -> HeldBack | None:
        """Whether a plugin could not be helped even if no other one had to fit. Raises Exhausted."""
        others = frozenset(other.id for other in self._enabled if other is not plugin)
        outcome = self._solve(others, {plugin: unfit[plugin]})
        if outcome.found or outcome.stopped or outcome.cut:
            return None
        return HeldBack(plugin.id, plugin.version, derivation(self._end, outcome.ends))

    def _together(
        self, held: list[HeldBack], unfit: Mapping[InstalledPlugin, tuple[Finding, ...]]
    ) -> tuple[Outcome, bool]:
        """A plan for all plugins that are not held back, and whether none is cheaper.

        A plugin that rules it out beside the others is held back too. Raises Exhausted.
        """
        while True:
            excused = frozenset(back.plugin for back in held)
            left = {plugin: found for plugin, found in unfit.items() if plugin.id not in excused}
            outcome = self._solve(excused, left)
            if outcome.stopped or outcome.cut:
                return self._solve(excused, left, greedy=True), False
            culprit = None if outcome.found else self._culprit(outcome, excused)
            if culprit is None:
                return outcome, True
            held.append(culprit)

    def _culprit(self, outcome: Outcome, excused: frozenset[str]) -> HeldBack | None:
        """The plugin with which the shortest explanation begins."""
        links = derivation(self._end, outcome.ends)
        for link in links:
            for id in (link.finding.subject, link.finding.object):
                plugin = self._end.others.get(id)
                if plugin is not None and plugin.enabled and id not in excused:
                    return HeldBack(id, plugin.version, links)
        return None

    def _solve(
        self,
        excused: frozenset[str],
        unfit: Mapping[InstalledPlugin, tuple[Finding, ...]],
        *,
        greedy: bool = False,
    ) -> Outcome:
        effort = Effort(self._end, INSTALLATION)
        branches = Branches(self._end, Catalogue(self._end, effort), self._suits if self._moves else None)
        least = self._least(branches, unfit) if self._moves else None
        root = Node(self._end.subject, decided=frozenset({"host"}) if self._moves else frozenset())
        plan_check = self._plan_check(self._end, effort, excused)
        most = MOST_CHANGES + 2 * len(self._enabled)
        return Solver(self._end, (), plan_check, effort, branches, least, greedy=greedy, most_changes=most).solve(
            root
        )

    def _plan_check(self, case: Case, effort: Effort, excused: frozenset[str], *, whole: bool = True) -> PlanCheck:
        return PlanCheck(
            case,
            effort,
            case.subject,
            self._judgements,
            asks=False,
            everybody=True,
            whole=whole,
            excused=excused,
            not_told=self._not_told if whole else NOT_TOLD,
        )

    def _least(
        self, branches: Branches, unfit: Mapping[InstalledPlugin, tuple[Finding, ...]]
    ) -> Mapping[str, Cost]:
        """The minimum cost for each plugin that needs another release of itself. Raises Exhausted."""
        least: dict[str, Cost] = {}
        for plugin, findings in unfit.items():
            own = [f for f in findings if f.subject == plugin.id and f.code in _OWN]
            choices = branches.of(own[0], findings, self._end.subject, {"host"}) if own else ()
            if (cheapest := min((choice.cost for choice in choices), default=None)) is not None:
                least[plugin.id] = cheapest
        return least

    def _suits(self, id: str, version: str) -> bool:
        """Whether a release could run on the host at all, whatever else is installed."""
        question = asking(self._end.subject, (), Manifest(id=id, version=version), None)
        blocking = self._judgements.blocking(question, (), Effort(self._end, INSTALLATION))
        return not any(finding.code in _OWN for finding in blocking)

    def _unstated(self) -> tuple[str, ...]:
        """Plugins for which nobody states which versions of the host they run on."""
        end = self._end
        questions = (asking(end.subject, (), manifest_of(plugin), None) for plugin in self._enabled)
        cases = (read_case(question, end.matrix, end.policies, end.now) for question in questions)
        return tuple(sorted(case.plugin for case in cases if not case.is_host_stated))

    def _plan(self, node: Node, held: Sequence[HeldBack]) -> Remediation | None:
        """None if nothing has to be changed."""
        host = self._end.subject.host
        move = (Change(RemedyKind.UPGRADE_HOST, host.name, host.version),) if self._moves else ()
        changes = (*move, *_needed(node.changes))
        if not changes:
            return None
        steps = self._steps(node, changes, frozenset(back.plugin for back in held))
        made = [change for step in steps for change in step.changes]
        return Remediation(
            change=made[0],
            also=tuple(made[1:]),
            verified=not held,
            cost=node.cost.number(),
            sentence=orders.plan(steps, "", ""),
            steps=with_causes(self._end, node, steps),
            leaves_open=tuple(sorted(back.links[0].finding.id for back in held if back.links)),
        )

    def _steps(self, node: Node, changes: tuple[Change, ...], excused: frozenset[str]) -> tuple[PlanStep, ...]:
        start = self._start
        if start is None:
            return (PlanStep(tuple(ordered(changes, node.trail))),)
        plan_check = self._plan_check(start, Effort(start, INSTALLATION), excused, whole=False)
        return order_of(start, changes, node.trail, plan_check)


def _needed(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Drops changes that cancel out: a plugin that is enabled for one and then in the way of another stays
    disabled."""
    enabled = {change.target for change in changes if change.kind is RemedyKind.ENABLE_DEPENDENCY}
    removed = {change.target for change in changes if change.kind is RemedyKind.REMOVE_CONFLICT}
    moot = enabled & removed
    return tuple(change for change in changes if change.target not in moot)
