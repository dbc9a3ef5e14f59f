"""What a report claims of a conflict is true: why each step is made, who says so, and what was searched in vain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples.questions import HOUR, NOON, document

from processors.checker.bounds import brief_ways
from processors.checker.check import check
from processors.checker.views import html, junit, markdown, sarif, text
from processors.events.report import Report, WaysOut
from processors.events.report_record import report_from_record, report_to_record
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.vocabulary import Code, Verdict
from processors.matrix.document import HostDeclaration, Release
from processors.matrix.merged import Matrix

UNDECLARED = {"host": "block", "runtime": "allow", "matrix": "allow"}


def report(releases: tuple[str, ...], *installed: str | InstalledPlugin, on: str = "1.9.0") -> Report:
    """orders 1.0.0 is asked for on a host of which 1.9.0 is listed. A release is `plugin@version: need, need`."""
    stated = [_release(row, text) for row, text in enumerate(releases)]
    needs = next(release.requires for release in stated if release.plugin == "orders")
    of_plugins = [r._replace(requires=tuple(need for need in r.requires if need.id != "corex")) for r in stated]
    hosts = {"corex": HostDeclaration("corex", "npm", ("1.9.0",))}
    known = replace(document("governance", (), tuple(of_plugins), undeclared=UNDECLARED), hosts=hosts)
    manifest = Manifest(
        id="orders",
        version="1.0.0",
        host_range=next((need.range for need in needs if need.id == "corex"), "*"),
        requires=tuple(need for need in needs if need.id != "corex"),
    )
    there = tuple(p if isinstance(p, InstalledPlugin) else _installed(p) for p in installed)
    subject = Subject(manifest=manifest, host=Host("corex", on), installed=there)
    return check(subject, Matrix.of([(known, NOON, NOON + HOUR)]), NOON, "").report


def _installed(text: str) -> InstalledPlugin:
    id, version = text.split("@")
    return InstalledPlugin(id, version)


def _release(row: int, text: str) -> Release:
    name, _, stated = text.partition(":")
    plugin, version = name.split("@")
    needs = (need.strip().partition(" ") for need in stated.split(",") if need.strip())
    requires = tuple(Requirement(id, range) for id, _, range in needs)
    return Release("governance", "1", row, plugin, version, {"corex": "*"}, requires)


TRANSITIVE = ("orders@1.0.0: b ^2.0.0", "b@2.0.0: c >=3.0.0", "c@1.0.0", "c@3.0.0")
DIAMOND = ("orders@1.0.0: shared ^2.0.0", "reports@1.0.0: shared ^1.0.0", "shared@1.0.0", "shared@2.0.0")
LOCKSTEP = (*DIAMOND, "reports@2.0.0: shared ^2.0.0")
NOTHING = ("orders@1.0.0: b >=3.0.0", "b@1.0.0", "b@2.0.0")


TOLD = InstalledPlugin("b", "2.0.0", requires=(Requirement("c", ">=3.0.0"),))


def test_a_step_says_which_demand_it_serves_in_every_view() -> None:
    """Else a plugin that nobody asked for comes out of nowhere."""
    said = report(TRANSITIVE, "c@1.0.0")
    (plan,) = said.remediations
    cause = plan.steps[0].causes[0]

    assert plan.sentence == "upgrade c to 3.0.0, then install b 2.0.0"
    assert (cause.target, cause.subject, cause.version, cause.object) == ("c", "b", "2.0.0", "c")
    assert (cause.required.stated_by, cause.required.source, cause.required.row) == ("catalogue", "governance", 1)
    ordered = "pgrade c to 3.0.0 (b 2.0.0 needs c >=3.0.0), then install b 2.0.0"
    for view in (text.render(said, width=500), junit.render(said, ""), html.render(said, "")):
        assert view.replace("&gt;", ">").count(ordered) == 2
    assert "(b 2.0.0 needs c >=3.0.0)" in sarif.render(said, "")
    assert "(b 2.0.0 needs c \\>=3.0.0)" in markdown.render(said)
    assert "(orders" not in said.summary


def test_causes_and_what_was_looked_through_survive_the_record() -> None:
    """A consumer reads what the checker wrote."""
    for said in (report(TRANSITIVE, "c@1.0.0"), report(DIAMOND, "reports@1.0.0", "shared@1.0.0")):
        assert report_from_record(report_to_record(said)) == said


def test_what_holds_without_the_request_is_a_step_of_its_own() -> None:
    """The smallest group that can be made is made; the request follows it."""
    said = report(LOCKSTEP, "reports@1.0.0", "shared@1.0.0")
    first, last = said.remediations[0].steps

    assert [change.target for change in first.changes] == ["shared", "reports"]
    assert (last.changes, last.with_request) == ((), True)
    assert said.summary.endswith(
        "Upgrade shared to 2.0.0 and reports to 2.0.0 in one step (reports 1.0.0 needs shared ^1.0.0), "
        "then install orders 1.0.0."
    )


def test_the_step_of_a_group_passes_the_check_and_neither_half_does() -> None:
    """What the plan says about one step is what the check says."""
    after = report(LOCKSTEP, "reports@2.0.0", "shared@2.0.0")
    halves = report(LOCKSTEP, "reports@1.0.0", "shared@2.0.0"), report(LOCKSTEP, "reports@2.0.0", "shared@1.0.0")

    assert after.verdict is Verdict.ALLOW
    assert halves[1].verdict is Verdict.BLOCK


def test_who_stands_in_the_way_is_named_and_what_was_not_tried() -> None:
    """Without reports the plugin would be allowed: nothing helps only while that one works."""
    said = report(DIAMOND, "reports@1.0.0", "shared@1.0.0")

    assert report(DIAMOND, "shared@2.0.0").verdict is Verdict.ALLOW
    assert said.remediation_note == (
        "no listed release helps while reports goes on working (removing or disabling it was not tried); "
        "ask the vendor of reports for a release that works with shared 2.0.0, or ask for an exception"
    )
    assert "No source lists a newer release of reports." in text.render(said, width=500)
    assert said.derivation[-1].finding.required.row == 1


def test_a_newer_release_that_does_not_help_is_not_denied() -> None:
    """It is listed, and needs the same."""
    said = report((*DIAMOND, "reports@1.1.0: shared ^1.0.0"), "reports@1.0.0", "shared@1.0.0")

    assert said.verdict is Verdict.BLOCK
    assert not said.remediations
    (link,) = (link for link in said.derivation if link.finding.subject == "reports" and link.chosen is None)
    assert [listed.versions for listed in link.listed if listed.target == "reports"] == [("1.1.0", "1.0.0")]


def test_a_newer_host_that_no_source_lists_is_not_denied() -> None:
    """With that host the same question is allowed: the report claims only what was searched."""
    releases = ("orders@1.0.0: corex >=2.0.0",)
    said = report(releases)

    assert report(releases, on="2.0.0").verdict is Verdict.ALLOW
    assert said.summary.endswith("governance lists corex 1.9.0 alone, which is not in >=2.0.0.")
    assert said.remediation_note == (
        "no listed release helps; have a newer release of corex in >=2.0.0 listed, "
        "ask the vendor of orders for a release that runs on corex 1.9.0, or ask for an exception"
    )


def test_what_is_known_is_named_where_none_of_it_would_do_and_once() -> None:
    """The finding itself is told already."""
    said = report(NOTHING)
    shown = text.render(said, width=500)

    assert shown.count("governance lists b 1.0.0 and 2.0.0; none is in >=3.0.0") == 2
    assert shown.count("orders 1.0.0 needs b >=3.0.0") == 2
    assert "ask the vendor of b for a release in >=3.0.0" in said.remediation_note


def test_what_no_source_lists_is_named_for_whom_to_ask() -> None:
    """Two vendors have something to list."""
    said = report(("orders@1.0.0: b >=3.0.0, c ^1.0.0",))

    assert said.remediation_note == (
        "no listed release helps, and no source lists b or c; have their vendors list them, or ask for an exception"
    )


def test_of_many_releases_the_newest_is_named() -> None:
    """A report stays bounded."""
    said = report(("orders@1.0.0: b >=3.0.0", *(f"b@1.{n}.0" for n in range(40))))

    assert said.summary.endswith("governance lists 40 releases of b, the newest 1.39.0; none is in >=3.0.0.")
    assert len(said.derivation[-1].listed[0].versions) == 5


@pytest.mark.parametrize(
    ("b", "stated_by", "source"),
    [
        pytest.param("b@2.0.0", "catalogue", "governance", id="only the catalogue knows"),
        pytest.param(TOLD, "installed", "b", id="it was told"),
    ],
)
def test_a_demand_is_attributed_to_who_states_it_and_keeps_its_id(
    b: str | InstalledPlugin, stated_by: str, source: str
) -> None:
    """An approval that names the finding stays valid, whoever states the demand."""
    said = report(TRANSITIVE, b, "c@1.0.0")
    (finding,) = said.findings

    assert finding.code is Code.DEPENDENCY_TOO_OLD
    assert (finding.required.stated_by, finding.required.source) == (stated_by, source)
    assert finding.id == "62d0c34ce7d5cc95"


def test_causes_that_would_fill_a_report_are_left_out_and_the_plan_stays() -> None:
    """Each is short, and there may be many."""
    (plan,) = report(TRANSITIVE, "c@1.0.0").remediations
    cause = plan.steps[0].causes[0]
    long = replace(cause, required=replace(cause.required, constraint="x" * 250))
    many = replace(plan, steps=(replace(plan.steps[0], causes=(long,) * 100), *plan.steps[1:]))

    kept, bare = brief_ways(WaysOut(plans=(many, many))).plans

    assert kept == many
    assert [step.causes for step in bare.steps] == [()] * len(plan.steps)
    assert bare.changes == plan.changes
