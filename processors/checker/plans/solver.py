"""The search for ways out: cheapest first, each verified by the check, and complete.

An A* search over sets of changes. A set of changes is a way out if the request passes with it and nothing that
fitted before is broken. Otherwise some finding remains, and the search tries each change that could cure it. So
every way out is found, and the first one found is the cheapest. The search ends when its effort is used up.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from processors.checker.case import Case
from processors.checker.plans.branches import Branches, Choice, decides, other_release
from processors.checker.plans.catalogue import Alike, Catalogue
from processors.checker.plans.cost import Cost, cost_of
from processors.checker.plans.effort import AFTER_THE_FIRST, Effort, Exhausted
from processors.checker.plans.plan_check import BlockedQuestion, PlanCheck
from processors.checker.plans.situation import changed
from processors.events.report import Change, Finding
from processors.events.subject import Subject
from processors.events.vocabulary import Code, RemedyKind

MOST_PLANS: Final = 5
MOST_CHANGES: Final = 32
"""More changes than that cannot reasonably be made in one go."""

_LOOKED_AT: Final = 6
"""How many remaining findings are compared; the search continues with the one that has the fewest cures."""

_LEAST: Final = {
    Code.DEPENDENCY_MISSING: RemedyKind.INSTALL_DEPENDENCY,
    Code.DEPENDENCY_DISABLED: RemedyKind.ENABLE_DEPENDENCY,
    Code.DEPENDENCY_TOO_OLD: RemedyKind.UPGRADE_DEPENDENCY,
    Code.DEPENDENCY_TOO_NEW: RemedyKind.DOWNGRADE_DEPENDENCY,
}
"""The only kind of change that cures such a finding of the requested plugin, once its version is decided."""


class Cured(NamedTuple):
    """A finding, and the change that was made to cure it."""

    finding: Finding
    change: Change


@dataclass(frozen=True, slots=True)
class Node:
    """A set of changes, in the order in which they were found to be necessary."""

    subject: Subject
    changes: tuple[Change, ...] = ()
    cost: Cost = field(default_factory=Cost)
    decided: frozenset[str] = frozenset()
    alike: tuple[tuple[Change, Alike], ...] = ()
    trail: tuple[Cured, ...] = ()
    asks_other: bool = False

    @property
    def touched(self) -> frozenset[str]:
        return frozenset(decided for change in self.changes for decided in decides(change))


class _Waiting(NamedTuple):
    """A node that is created only when its turn comes: most never are."""

    parent: Node
    choice: Choice
    finding: Finding


@dataclass(slots=True)
class Outcome:
    """The result of a search. `stopped` says that there may be more, `cut` that some way out would take too many
    changes.

    `ends` are the dead ends.
    """

    found: list[Node] = field(default_factory=list[Node])
    stopped: bool = False
    cut: bool = False
    ends: list[tuple[Node, Finding]] = field(default_factory=list[tuple[Node, Finding]])
    closest: tuple[Node, tuple[Finding, ...]] | None = None


class Solver:
    """One search for one case. `findings` are those of the unchanged request; empty if nothing is requested.

    `least` is the minimum cost for each plugin that needs another release of itself, whatever else is done. A
    `greedy` search continues with what it has begun: it finds a way out sooner, which need not be the cheapest.
    """

    def __init__(
        self,
        case: Case,
        findings: tuple[Finding, ...],
        plan_check: PlanCheck,
        effort: Effort,
        branches: Branches | None = None,
        least: Mapping[str, Cost] | None = None,
        *,
        greedy: bool = False,
        most_changes: int = MOST_CHANGES,
    ) -> None:
        self._case = case
        self._findings = findings
        self._effort = effort
        self._plan_check = plan_check
        self._branches = branches or Branches(case, Catalogue(case, effort))
        self._least: Mapping[str, Cost] = {} if least is None else least
        self._greedy = greedy
        self._most_changes = most_changes
        self._queue: list[tuple[int, Cost, int, _Waiting]] = []
        self._seen: set[frozenset[Change]] = set()
        self._kept: list[frozenset[str]] = []

    def solve(self, root: Node) -> Outcome:
        outcome = Outcome()
        try:
            self._expand(root, outcome)
            while self._queue and len(outcome.found) < MOST_PLANS:
                waiting = heapq.heappop(self._queue)[-1]
                if not self._is_dominated(waiting):
                    self._expand(self._made(waiting), outcome)
        except Exhausted:
            outcome.stopped = not outcome.found
        return outcome

    def _expand(self, node: Node, outcome: Outcome) -> None:
        wrong = self._plan_check.first(node.subject, node.changes)
        if wrong is None:
            if not outcome.found:
                self._effort.left = min(self._effort.left, AFTER_THE_FIRST)
            outcome.found.append(node)
            self._kept.append(node.touched)
            return
        self._note(node, wrong, outcome)
        if not node.changes and self._plan_check.asks:
            for choice in self._branches.of_asked():
                self._push(node, choice, wrong.findings[0], _NOTHING)
        finding, choices = self._hardest(node, wrong)
        if finding is None:
            outcome.cut = True
            return
        if not choices:
            outcome.ends.append((node, finding))
        missed = _missed(wrong.findings if wrong.is_asked else (), self._case.plugin)
        for choice in choices:
            self._push(node, choice, finding, _remaining(missed, {finding.object, choice.change.target}))

    def _hardest(self, node: Node, wrong: BlockedQuestion) -> tuple[Finding | None, list[Choice]]:
        """The finding with the fewest cures. If one has none, no further changes have to be tried.

        None if it takes more changes than are allowed.
        """
        different = list({(f.code, f.subject, f.object): f for f in reversed(wrong.findings)}.values())[::-1]
        if len(node.changes) >= self._most_changes or len(different) > self._most_changes:
            return None, []
        best: tuple[Finding | None, list[Choice]] = (None, [])
        for finding in different[:_LOOKED_AT]:
            choices = list(self._branches.of(finding, wrong.findings, node.subject, node.decided))
            choices += _next_alike(node, finding)
            if best[0] is None or len(choices) < len(best[1]):
                best = (finding, choices)
            if not choices:
                break
        return best

    def _push(self, node: Node, choice: Choice, finding: Finding, rest: Cost) -> None:
        changes = frozenset((*_beside(node, choice.change), choice.change))
        if changes not in self._seen:
            self._effort.spend(1)
            self._seen.add(changes)
            cost = node.cost.plus(choice.cost).plus(rest)
            for plugin, least in self._least.items():
                if plugin not in node.decided and plugin != choice.change.target:
                    cost = cost.plus(least)
            depth = -len(changes) if self._greedy else 0
            heapq.heappush(self._queue, (depth, cost, len(self._seen), _Waiting(node, choice, finding)))

    def _made(self, waiting: _Waiting) -> Node:
        """The node with one more change, or with a chosen release exchanged for an equivalent one."""
        node, (change, cost, alike), finding = waiting
        kept = _beside(node, change)
        subject = node.subject if len(kept) == len(node.changes) else _replayed(self._case, kept)
        other = change.kind in (RemedyKind.INSTALL_VERSION, RemedyKind.REPLACE_PLUGIN)
        return Node(
            subject=changed(subject, change, self._case),
            changes=(*kept, change),
            cost=node.cost.plus(cost),
            decided=node.decided | frozenset(decides(change)),
            alike=(*(pair for pair in node.alike if pair[0] in kept), (change, alike)),
            trail=(*node.trail, Cured(finding, change)),
            asks_other=node.asks_other or other,
        )

    def _is_dominated(self, waiting: _Waiting) -> bool:
        """Whether a way out was found already whose changes are a subset of these."""
        touched = waiting.parent.touched.union(decides(waiting.choice.change))
        return any(kept <= touched for kept in self._kept)

    def _note(self, node: Node, wrong: BlockedQuestion, outcome: Outcome) -> None:
        if not wrong.is_asked or node.asks_other:
            return
        open_now = len(wrong.findings)
        best = len(self._findings) if outcome.closest is None else len(outcome.closest[1])
        if node.changes and open_now < best:
            outcome.closest = (node, wrong.findings)


_NOTHING: Final = Cost()


def _beside(node: Node, change: Change) -> tuple[Change, ...]:
    """The changes of a node that stay when another is made: all except one that decides the same thing."""
    decided = decides(change)
    if node.decided.isdisjoint(decided):
        return node.changes
    return tuple(c for c in node.changes if not set(decides(c)) & set(decided))


def _replayed(case: Case, changes: Iterable[Change]) -> Subject:
    subject = case.subject
    for change in changes:
        subject = changed(subject, change, case)
    return subject


def _missed(findings: Sequence[Finding], plugin: str) -> Mapping[tuple[Code, str], Cost]:
    """The demands that the plugin itself misses, and the minimum cost of curing each."""
    missed = {(f.code, f.object) for f in findings if f.subject == plugin and f.code in _LEAST and not f.path}
    return {(code, object): cost_of(Change(_LEAST[code], object, None)) for code, object in missed}


def _remaining(missed: Mapping[tuple[Code, str], Cost], settled: Collection[str]) -> Cost:
    """The minimum cost of everything that is missed and not decided yet."""
    rest = _NOTHING
    for (_, object), cost in missed.items():
        if object not in settled:
            rest = rest.plus(cost)
    return rest


def _next_alike(node: Node, finding: Finding) -> Iterator[Choice]:
    """An equivalent release to a chosen one, if only the version of that one is in the way."""
    for change, alike in node.alike:
        fitting = other_release(finding, alike) if change.target == finding.object else ()
        if fitting:
            best = fitting[0]
            again = Change(change.kind, change.target, best.text)
            yield Choice(again, Cost(prereleases=int(best.is_prerelease), age=1), fitting[1:])
