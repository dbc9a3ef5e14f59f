"""May the host be upgraded, and what makes an installation whole: with nobody who asks to install anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from examples.questions import HOUR, NOON, document

from processors.checker.plans.installation import Installation, InstallationPlan, Outlook, plan_for
from processors.events.subject import Host, InstalledPlugin, Lifecycle, Requirement
from processors.matrix.document import HostDeclaration, Release
from processors.matrix.merged import Matrix


def release(plugin: str, version: str, host: str = "*", *needs: str, **more: Any) -> Release:
    requires = tuple(Requirement(*need.split(" ", 1)) for need in needs)
    return Release("governance", "1", 0, plugin, version, {"corex": host}, requires, **more)


def matrix(*releases: Release, undeclared: str = "block") -> Matrix:
    policy = {"host": undeclared, "runtime": "allow", "matrix": "allow"}
    head = document("governance", (), tuple(r._replace(row=n) for n, r in enumerate(releases)), undeclared=policy)
    hosts = {"corex": HostDeclaration("corex", "npm", ("1.9.0", "2.0.0"))}
    return Matrix.of([(replace(head, hosts=hosts), NOON, NOON + HOUR)])


def installed(*plugins: str) -> tuple[InstalledPlugin, ...]:
    """`id@version`, with a `!` before it where it is disabled."""
    read = ((plugin.lstrip("!").split("@"), plugin[0] != "!") for plugin in plugins)
    return tuple(InstalledPlugin(id, version, enabled) for (id, version), enabled in read)


def asked(known: Matrix, *plugins: str, now: str | None = "1.9.0", to: str | None = "2.0.0") -> InstallationPlan:
    present, wanted = (None if version is None else Host("corex", version) for version in (now, to))
    return plan_for(Installation(present=present, wanted=wanted, plugins=installed(*plugins)), known, NOON)


def said(answer: InstallationPlan) -> list[str]:
    return [plan.sentence for plan in answer.plans]


A = (release("a", "1.0.0", "<2.0.0"), release("a", "2.0.0", ">=2.0.0", "b >=2.0.0"))
B = (release("b", "1.0.0"), release("b", "2.0.0", "*", "c"), release("c", "1.0.0"))
OLD = release("old", "1.0.0", "<2.0.0")


def test_what_can_be_done_before_the_upgrade_is_done_before_it() -> None:
    """What fits no version of the host by itself moves together with it."""
    answer = asked(matrix(*A, *B), "a@1.0.0", "b@1.0.0")

    assert answer.outlook is Outlook.PLAN
    together = "then upgrade corex to 2.0.0 and a to 2.0.0 in one step"
    assert said(answer) == [f"install c 1.0.0, then upgrade b to 2.0.0, {together}"]
    assert [plan.verified for plan in answer.plans] == [True]


def test_without_the_present_version_all_is_one_step() -> None:
    """Nobody knows what fits the host as it runs now; what another one needs still comes first."""
    (plan,) = asked(matrix(*A, *B), "a@1.0.0", "b@1.0.0", now=None).plans

    assert [[change.target for change in step.changes] for step in plan.steps] == [["corex", "c", "b", "a"]]


def test_where_everything_fits_only_the_host_is_upgraded() -> None:
    assert said(asked(matrix(*B), "b@1.0.0")) == ["upgrade corex to 2.0.0"]


def test_all_who_hold_it_back_are_named_with_their_reasons() -> None:
    """And what could be done for all the others, which is what an exception would have to cover."""
    dead = (release("x", "1.0.0", "<2.0.0"), release("x", "2.0.0", ">=2.0.0", "gone"))
    answer = asked(matrix(*A, *B, OLD, *dead), "old@1.0.0", "a@1.0.0", "b@1.0.0", "x@1.0.0")

    assert (answer.outlook, answer.plans) == (Outlook.HELD_BACK, ())
    assert [back.plugin for back in answer.held_back] == ["old", "x"]
    assert [[(f.finding.subject, f.version, f.finding.object) for f in b.links] for b in answer.held_back] == [
        [("old", "1.0.0", "corex")],
        [("x", "1.0.0", "corex"), ("x", "2.0.0", "gone")],
    ]
    assert answer.closest is not None
    assert not answer.closest.verified
    assert {change.target for change in answer.closest.changes} == {"corex", "a", "b", "c"}


def test_two_that_can_only_fit_without_each_other_hold_it_back() -> None:
    """Each has a release for the new host; no two of them go together."""
    x = (release("x", "1.0.0", "<2.0.0"), release("x", "2.0.0", ">=2.0.0", "z ^1.0.0"))
    y = (release("y", "1.0.0", "<2.0.0"), release("y", "2.0.0", ">=2.0.0", "z ^2.0.0"))
    answer = asked(matrix(*x, *y, release("z", "1.0.0"), release("z", "2.0.0")), "x@1.0.0", "y@1.0.0")

    assert answer.outlook is Outlook.HELD_BACK
    assert len(answer.held_back) == 1
    assert answer.closest is not None


@pytest.mark.parametrize(("policy", "outlook"), [("block", Outlook.HELD_BACK), ("warn", Outlook.PLAN)])
def test_a_plugin_of_which_nobody_knows_is_no_pass(policy: str, outlook: Outlook) -> None:
    """The matrix says whether it holds the upgrade back; where it does not, it is named."""
    answer = asked(matrix(*B, undeclared=policy), "b@1.0.0", "unknown@1.0.0")

    assert answer.outlook is outlook
    assert answer.unstated == (("unknown",) if policy == "warn" else ())


def test_what_is_broken_now_is_made_whole() -> None:
    """The host stays where it is as long as anything else helps."""
    answer = asked(matrix(*B), "b@2.0.0", to=None)

    assert said(answer) == ["install c 1.0.0", "downgrade b to 1.0.0"]
    assert asked(matrix(*B), "b@1.0.0", to=None).outlook is Outlook.FITS


def test_the_host_is_upgraded_where_nothing_else_makes_it_whole() -> None:
    assert said(asked(matrix(release("n", "1.0.0", ">=2.0.0")), "n@1.0.0", to=None)) == ["upgrade corex to 2.0.0"]


def test_a_withdrawn_release_is_left_for_another() -> None:
    withdrawn = release("w", "1.0.0", lifecycle=Lifecycle("withdrawn"))

    assert said(asked(matrix(withdrawn, release("w", "1.0.1")), "w@1.0.0", to=None)) == ["upgrade w to 1.0.1"]


def test_a_disabled_plugin_holds_nothing_back() -> None:
    """It runs nowhere; whoever enables it is asked then."""
    assert asked(matrix(OLD), "!old@1.0.0").outlook is Outlook.PLAN


@pytest.mark.parametrize(
    ("known", "to", "code"),
    [
        (Matrix.EMPTY, "2.0.0", "MATRIX_MISSING"),
        (matrix(), "two", "VERSION_UNREADABLE"),
    ],
)
def test_what_cannot_be_judged_is_no_plan(known: Matrix, to: str, code: str) -> None:
    answer = asked(known, "b@1.0.0", to=to)

    assert (answer.outlook, answer.plans) == (Outlook.UNJUDGED, ())
    assert code in [finding.code for finding in answer.unjudged]


def test_an_expired_matrix_plans_nothing() -> None:
    installation = Installation(present=None, wanted=Host("corex", "2.0.0"), plugins=installed("b@1.0.0"))

    answer = plan_for(installation, matrix(*B), NOON + 2 * HOUR)

    assert [finding.code for finding in answer.unjudged] == ["MATRIX_EXPIRED"]


def test_forty_plugins_that_all_have_to_move_are_no_hard_question() -> None:
    """Their number does not multiply: each has to take a release of its own, whatever the others do."""
    plugins = [f"p{n:02}" for n in range(40)]
    releases = [
        release(id, f"{v}.0.0", f">={v}.0.0 <{v + 1}.0.0", *(["p00 >=1.0.0"] if n % 3 else []))
        for n, id in enumerate(plugins)
        for v in (1, 2, 3)
    ]
    answer = asked(matrix(*releases), *(f"{id}@1.0.0" for id in plugins))

    assert answer.outlook is Outlook.PLAN
    assert answer.is_cheapest
    assert {(c.target, c.to) for c in answer.plans[0].changes} == {
        ("corex", "2.0.0"),
        *((p, "2.0.0") for p in plugins),
    }
