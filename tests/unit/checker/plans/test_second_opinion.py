"""Every way out is held against an exhaustive search of a small world, which shares no code with the real one.

`GUARD_PLANS=long pytest tests/unit/checker/plans/test_second_opinion.py` asks about 10,000 worlds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from processors.checker.check import check
from processors.checker.plans.installation import Installation, InstallationPlan, Outlook, plan_for
from processors.checker.plans.ways_out import STOPPED
from processors.events.report import Remediation, Report
from processors.events.subject import Host
from processors.events.vocabulary import RemedyKind, Verdict

WORLDS = 10_000 if os.environ.get("GUARD_PLANS") == "long" else 300
BLOCKS = 100


def naive() -> Any:
    """The other opinion lies beside this file; test folders are no packages."""
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location("naive_plans", Path(__file__).with_name("naive.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


second = naive()


def blocked(block: int) -> Iterator[tuple[Any, Report]]:
    """The worlds of one block in which the request is blocked, with the report."""
    for number in range(block * BLOCKS, (block + 1) * BLOCKS):
        world = second.a_world(Random(number))
        subject, matrix = second.question(world)
        report = check(subject, matrix, second.NOON, "sha256:0").report
        if report.verdict is Verdict.BLOCK:
            yield world, report


@pytest.mark.parametrize("block", range(WORLDS // BLOCKS))
def test_plans_are_sound_cheapest_and_complete(block: int) -> None:
    """Each holds after every step; none is cheaper than the first; where there is none, none exists."""
    seen = 0
    for world, report in blocked(block):
        seen += 1
        for plan in report.remediations:
            assert_holds_step_by_step(world, plan)
        cheapest = second.cheapest(world)
        offered = min((cost(world, plan) for plan in report.remediations), default=None)
        assert report.remediation_note != STOPPED
        assert offered == cheapest, (world, report.remediations)
        if report.remediations:
            assert offered == cost(world, report.remediations[0])
    assert seen > BLOCKS // 10


@pytest.mark.parametrize("block", range(WORLDS // BLOCKS))
def test_plans_to_another_host_are_sound_cheapest_and_complete(block: int) -> None:
    """In the end every enabled plugin fits. Where nothing has to be removed, no plan is cheaper than the first, and
    nobody is said to hold the host back. What stands in the way of whom is not searched here."""
    seen: Counter[Outlook] = Counter()
    for number in range(block * BLOCKS, (block + 1) * BLOCKS):
        world = second.an_installation(Random(number))
        subject, matrix = second.question(world)
        present, wanted = Host("h", second.HOSTS[0]), Host("h", second.HOSTS[1])
        answer = plan_for(
            Installation(present=present, wanted=wanted, plugins=subject.installed), matrix, second.NOON
        )
        for plan in answer.plans if answer.outlook is Outlook.PLAN else ():
            assert second.is_whole(in_the_end(world, plan)), (world, plan)
        cheapest = second.cheapest_for_everybody(world, second.HOSTS[1])
        if cheapest is not None:
            assert answer.outlook is Outlook.PLAN
            assert cost_without_host(answer.plans[0]) == cheapest, (world, answer.plans)
        seen[answer.outlook] += 1
    assert min(seen[Outlook.PLAN], seen[Outlook.HELD_BACK]) > BLOCKS // 10


def to_another_host(world: Any) -> InstallationPlan:
    subject, matrix = second.question(world)
    present, wanted = (Host("h", version) for version in second.HOSTS)
    return plan_for(Installation(present=present, wanted=wanted, plugins=subject.installed), matrix, second.NOON)


def in_the_end(world: Any, plan: Remediation) -> Any:
    state = second.start(world)
    for change in plan.changes:
        state = second.after(state, change)
    return state


def cost_without_host(plan: Remediation) -> Any:
    kinds = [change.kind for change in plan.changes if change.kind is not RemedyKind.UPGRADE_HOST]
    return (
        kinds.count(RemedyKind.REMOVE_CONFLICT),
        kinds.count(RemedyKind.DOWNGRADE_DEPENDENCY),
        0,
        len(kinds),
    )


def assert_holds_step_by_step(world: Any, plan: Remediation) -> None:
    state, changed, asked = second.start(world), set[str](), world.asked
    *before, last = plan.steps
    for step in before:
        assert not step.with_request
        for change in step.changes:
            state = second.after(state, change)
            changed.add(change.target)
        assert second.holds(state, world, changed), (world, plan)
    for change in last.changes:
        if change.kind is RemedyKind.INSTALL_VERSION:
            asked = change.to or ""
        else:
            state = second.after(state, change)
            changed.add(change.target)
    assert second.passes(second.with_asked(state, asked), world, changed), (world, plan)


def cost(world: Any, plan: Remediation) -> Any:
    """As the other one counts."""
    kinds = [change.kind for change in plan.changes]
    before = world.installed.get(second.ASKED)
    back = [
        c for c in plan.changes if c.kind is RemedyKind.INSTALL_VERSION and before and (c.to or "") < before.version
    ]
    return (
        kinds.count(RemedyKind.REMOVE_CONFLICT),
        kinds.count(RemedyKind.DOWNGRADE_DEPENDENCY) + len(back),
        kinds.count(RemedyKind.UPGRADE_HOST),
        len(kinds),
    )
