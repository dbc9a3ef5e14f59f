"""Changes and plans as orders: `upgrade crm to 1.2.0, then remove mail`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from processors.checker.sentences.demands import Told, demanded_by, said_of
from processors.checker.sentences.lists import joined
from processors.errors import shorten
from processors.events.report import Cause, Change, PlanStep, Remediation
from processors.events.vocabulary import RemedyKind


def steps_of(plan: Remediation) -> int:
    """How many steps a plan has, without that of the request alone."""
    return sum(bool(step.changes) for step in plan.steps)


def runs(
    steps: Sequence[PlanStep], plugin: str, version: str, most: int | None = None, told: Told = ()
) -> list[str]:
    """The steps of a plan in order, those of one kind listed together, at most so many of each kind by name.

    Without a limit, each step is listed with its causes.
    """
    said: list[str] = []
    run: list[PlanStep] = []
    for step in (*steps, PlanStep(())):
        is_single = len(step.changes) == 1 and not step.with_request and step.changes[0].kind not in _REQUESTS
        if run and not (is_single and step.changes[0].kind is run[0].changes[0].kind):
            causes = [cause for each in run for cause in each.causes] if most is None else []
            order = _run([change for each in run for change in each.changes], plugin, most)
            said.append(f"{order}{_because(causes, told)}")
            run = []
        if is_single:
            run.append(step)
        elif words := step_in_words(step, plugin, version, told):
            said.append(words)
    return said


def _run(changes: Sequence[Change], plugin: str, most: int | None = None) -> str:
    """Changes of one kind, such as `remove a, b and c`."""
    orders = [_order(change.kind, change.target, change.to, plugin) for change in changes]
    verb = orders[0].partition(" ")[0]
    named = [order.partition(" ")[2] for order in orders[:most]]
    if left := len(orders) - len(named):
        named.append(f"{left} more")
    return f"{verb} {joined(named)}"


NEXT = ", then "


def plan(steps: Sequence[PlanStep], plugin: str, version: str) -> str:
    """A plan as one instruction, its steps one after the other, without a full stop.

    The request is named if it might otherwise be taken for a part of the step before.
    """
    return _plan([replace(step, causes=()) for step in steps], plugin, version, ())


def with_causes(plan: Remediation, plugin: str, version: str, told: Told) -> str:
    """A plan as `plan` writes it, each step with the demands that it serves, except those that were `told`."""
    if all(said_of(cause) in told for step in plan.steps for cause in step.causes):
        return plan.sentence
    return _plan(plan.steps, plugin, version, told)


def _plan(steps: Sequence[PlanStep], plugin: str, version: str, told: Told) -> str:
    parts = [step_in_words(step, plugin, version, told) for step in steps]
    parts = [part for part in parts if part]
    changes = [change for step in steps for change in step.changes]
    alone = len(changes) == 1 and changes[0].kind is RemedyKind.INSTALL_DEPENDENCY and not steps[-1].changes
    if plugin and not steps[-1].changes and any(len(step.changes) > 1 for step in steps):
        parts.append(f"install {plugin} {version}".rstrip())
    return f"{parts[0]} first" if alone else NEXT.join(parts)


def step_in_words(step: PlanStep, plugin: str, version: str, told: Told = ()) -> str:
    """One step as an instruction, with the demands that it serves; empty for the request alone."""
    return f"{_in_words(step, plugin, version)}{_because(step.causes, told)}" if step.changes else ""


def _in_words(step: PlanStep, plugin: str, version: str) -> str:
    if any(change.kind in _REQUESTS for change in step.changes):
        return " together with ".join(_order(c.kind, c.target, c.to, plugin) for c in step.changes)
    orders = joined([_run(changes, plugin) for changes in _alike(step.changes, plugin)])
    if step.with_request:
        return f"{orders} together with {plugin} {version}"
    return f"{orders} in one step" if len(step.changes) > 1 else orders


def _alike(changes: Sequence[Change], plugin: str) -> list[list[Change]]:
    """Consecutive changes that share one verb."""
    found: list[list[Change]] = []
    before = ""
    for change in changes:
        verb = _order(change.kind, change.target, change.to, plugin).partition(" ")[0]
        if verb == before:
            found[-1].append(change)
        else:
            found.append([change])
        before = verb
    return found


def _because(causes: Sequence[Cause], told: Told) -> str:
    facts = [demanded_by(cause) for cause in causes if said_of(cause) not in told]
    named = [shorten(str(fact), _LONGEST_CAUSE) for fact in dict.fromkeys(facts)]
    if len(named) > _MOST_CAUSES:
        named = [*named[:_MOST_CAUSES], f"{len(named) - _MOST_CAUSES} more"]
    return f" ({joined(named)})" if named else ""


_MOST_CAUSES = 3
_LONGEST_CAUSE = 160


_REQUESTS = frozenset({RemedyKind.INSTALL_VERSION, RemedyKind.REPLACE_PLUGIN})


def done(steps: Sequence[PlanStep]) -> str:
    """What a plan would have changed, as a statement rather than an instruction: it is no way out by itself."""
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
