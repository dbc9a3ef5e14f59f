"""Explains why there is no way out: a chain of facts that contradict each other, in the style of PubGrub.

Of all dead ends, the shortest is reported: what is needed, what would have to be installed for that, what that
needs in turn, and so on, down to the demand that nothing can meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from processors.checker.attribution import attributed
from processors.checker.case import Case
from processors.checker.plans.causes import version_of
from processors.checker.plans.considered import considered_releases
from processors.checker.plans.solver import Cured, Node
from processors.events.report import Change, Finding, Inference
from processors.events.vocabulary import Code

MOST_LINKS: Final = 12


def derivation(case: Case, ends: Sequence[tuple[Node, Finding]]) -> tuple[Inference, ...]:
    """The links of the shortest chain, ending with the demand that cannot be met; empty if nothing was tried."""
    kept = [(node, finding) for node, finding in ends if not node.asks_other]
    if not kept:
        return ()
    chains = [_chain(node, finding) for node, finding in kept]
    shortest = min(range(len(kept)), key=lambda n: (len(chains[n]), kept[n][0].cost, n))
    node, last = kept[shortest]
    made = [cured.change for cured in node.trail]
    links = [_link(case, made[: made.index(c.change)], c.finding, c.change) for c in chains[shortest]]
    return (*links[: MOST_LINKS - 1], _link(case, made, last, None))


def _link(case: Case, made: Sequence[Change], finding: Finding, chosen: Change | None) -> Inference:
    version = version_of(case, made, finding)
    listed = considered_releases(case, finding) if chosen is None else ()
    return Inference(finding=attributed(case, finding, version), version=version, chosen=chosen, listed=listed)


def _chain(node: Node, last: Finding) -> list[Cured]:
    """Of the changes made on the way, only those on which the last finding depends."""
    concerned = {last.subject, last.object, *last.path}
    chain: list[Cured] = []
    if last.code is Code.DEPENDENCY_CYCLE:
        return []  # whatever was tried against a cycle led back to it
    for cured in reversed(node.trail):
        if cured.change.target in concerned:
            concerned |= {cured.finding.subject, *cured.finding.path}
            chain.append(cured)
    return chain[::-1]
