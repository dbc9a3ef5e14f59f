"""Changes and plans as orders: `upgrade crm to 1.2.0, then remove mail`."""

from __future__ import annotations

from collections.abc import Sequence

from processors.checker.sentences.lists import joined
from processors.events.report import Change, PlanStep, Remediation
from processors.events.vocabulary import RemedyKind


def steps_of(plan: Remediation) -> int:
    """How many steps a plan has, without that of the request alone."""
    return sum(bool(step.changes) for step in plan.steps)


def runs(steps: Sequence[PlanStep], plugin: str, version: str, most: int | None = None) -> list[str]:
    """The steps of a plan in their order, those of one kind told together; at most so many named of each kind."""
    told: list[str] = []
    run: list[Change] = []
    for step in (*steps, PlanStep(())):
        is_single = len(step.changes) == 1 and not step.with_request and step.changes[0].kind not in _REQUESTS
        if run and not (is_single and step.changes[0].kind is run[0].kind):
            told.append(_run(run, plugin, most))
            run = []
        if is_single:
            run.append(step.changes[0])
        elif said := step_in_words(step, plugin, version):
            told.append(said)
    return told


def _run(changes: Sequence[Change], plugin: str, most: int | None) -> str:
    """Changes of one kind, such as `remove a, b and c`."""
    orders = [_order(change.kind, change.target, change.to, plugin) for change in changes]
    verb = orders[0].partition(" ")[0]
    named = [order.partition(" ")[2] for order in orders[:most]]
    if left := len(orders) - len(named):
        named.append(f"{left} more")
    return f"{verb} {joined(named)}"


NEXT = ", then "


def plan(steps: Sequence[PlanStep], plugin: str, version: str) -> str:
    """A plan as one order, its steps one after the other, without a full stop."""
    parts = [step_in_words(step, plugin, version) for step in steps]
    parts = [part for part in parts if part]
    changes = [change for step in steps for change in step.changes]
    alone = len(changes) == 1 and changes[0].kind is RemedyKind.INSTALL_DEPENDENCY and not steps[-1].changes
    return f"{parts[0]} first" if alone else NEXT.join(parts)


def step_in_words(step: PlanStep, plugin: str, version: str) -> str:
    """One step as an order; empty for the request alone."""
    orders = [_order(change.kind, change.target, change.to, plugin) for change in step.changes]
    if len(orders) > 1 and not step.with_request:
        return f"{joined(orders)}, all in one step"
    if not orders or not step.with_request or any(change.kind in _REQUESTS for change in step.changes):
        return " together with ".join(orders)
    return f"{joined(orders)} together with {plugin} {version}"


_REQUESTS = frozenset({RemedyKind.INSTALL_VERSION, RemedyKind.REPLACE_PLUGIN})


def done(steps: Sequence[PlanStep]) -> str:
    """What a plan would have changed, told and not ordered: it does not lead out by itself."""
    return joined([_done(change) for step in steps for change in step.changes])


def _done(change: Change) -> str:
    match change.kind:
        case RemedyKind.REMOVE_CONFLICT:
            return f"{change.target} removed"
        case RemedyKind.ENABLE_DEPENDENCY:
            return f"{change.target} enabled"
        case _:
            return f"{change.target} {change.to}"


def _order(kind: RemedyKind, target: str, to: str | None, plugin: str) -> str:  # noqa: PLR0911 - one for each kind
    match kind:
        case RemedyKind.INSTALL_VERSION:
            return f"install {plugin} {to}"
        case RemedyKind.UPGRADE_HOST | RemedyKind.UPGRADE_DEPENDENCY:
            return f"upgrade {target} to {to}"
        case RemedyKind.DOWNGRADE_DEPENDENCY:
            return f"downgrade {target} to {to}"
        case RemedyKind.UPGRADE_RUNTIME:
            return f"provide {target} {to}"
        case RemedyKind.INSTALL_DEPENDENCY:
            return f"install {target} {to}"
        case RemedyKind.ENABLE_DEPENDENCY:
            return f"enable {target}"
        case RemedyKind.REMOVE_CONFLICT:
            return f"remove {target}"
        case _:
            return f"install {target} {to} instead of {plugin}"
