"""Plugins that are installed in one step: one installation, one verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples.questions import HOUR, NOON, Row, document

from processors.checker.check import check
from processors.events.report import Report
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.vocabulary import Code, DemandKind, Verdict
from processors.matrix.document import Override
from processors.matrix.merged import Matrix

SODIUM = Manifest(
    id="sodium",
    version="0.9.1",
    host_range="*",
    security_baseline="2026.2",
    conflicts=(Requirement("iris", "<=1.11.1"),),
)
IRIS = Manifest(
    id="iris",
    version="1.11.2",
    host_range="*",
    security_baseline="2026.2",
    requires=(Requirement("sodium", "0.9.x"),),
)
INSTALLED = (
    InstalledPlugin("sodium", "0.8.9"),
    InstalledPlugin("iris", "1.10.9", requires=(Requirement("sodium", "0.8.x"),)),
)


def answer(manifest: Manifest, *together: Manifest, rows: tuple[Row, ...] = ()) -> Report:
    subject = Subject(manifest=manifest, host=Host("h", "1.0.0"), installed=INSTALLED, together=together)
    undeclared = {"host": "allow", "runtime": "allow", "matrix": "allow"}
    matrix = Matrix.of([(document("governance", rows, (), undeclared=undeclared), NOON, NOON + HOUR)])
    return check(subject, matrix, NOON, "sha256:0").report


def test_what_can_only_move_together_passes_together() -> None:
    """Each alone is blocked, whichever is asked for first."""
    assert answer(IRIS).verdict is answer(SODIUM).verdict is Verdict.BLOCK
    assert answer(IRIS, SODIUM).verdict is answer(SODIUM, IRIS).verdict is Verdict.ALLOW


def test_a_plugin_that_comes_along_is_judged_like_the_one_that_is_asked_for() -> None:
    """Its own needs block as well, and it is named."""
    greedy = Manifest(
        id="lens", version="1.0.0", host_range="*", security_baseline="2026.2", requires=(Requirement("glass", ""),)
    )
    report = answer(IRIS, SODIUM, greedy)

    assert [(f.code, f.subject, f.object) for f in report.findings] == [(Code.DEPENDENCY_MISSING, "lens", "glass")]
    assert report.findings[0].sentence.startswith("lens, which comes with it, needs glass")


def test_a_row_about_a_plugin_that_comes_along_loosens_its_finding_and_is_shown() -> None:
    order = Override(Code.DEPENDENCY_MISSING, "glass comes tonight", NOON + HOUR)
    greedy = Manifest(
        id="lens", version="1.0.0", host_range="*", security_baseline="2026.2", requires=(Requirement("glass", ""),)
    )
    report = answer(IRIS, SODIUM, greedy, rows=(Row("lens", None, None, "allow", order),))

    assert report.verdict is Verdict.WARN
    assert "by order of governance" in report.findings[0].sentence
    assert [(row.source, row.row, row.decisive) for row in report.rows] == [("governance", 0, True)]
    assert report.rows_weighed == 1


def test_a_row_about_several_plugins_is_shown_and_counted_once() -> None:
    report = answer(
        IRIS, SODIUM, rows=(Row("*", None, None, "allow", None), Row("sodium", None, None, "warn", None))
    )

    assert [(row.row, row.decisive) for row in report.rows] == [(0, True), (1, True)]
    assert report.rows_weighed == 2


@pytest.mark.parametrize("versions", [("2.0.0", "1.0.0"), ("1.0.0", "2.0.0"), ("1.0.0", "1.0.0+b7")])
def test_one_plugin_in_two_versions_is_a_contradiction(versions: tuple[str, str]) -> None:
    """Neither is an upgrade of the other: the request has to say which one it means."""
    one, other = (Manifest(id="lens", version=version, host_range="*") for version in versions)
    for asked in (answer(one, other), answer(IRIS, SODIUM, one, other)):
        [told] = [finding for finding in asked.findings if finding.object == "request"]

        assert asked.verdict is Verdict.BLOCK
        assert (told.code, told.subject, told.required.kind) == (
            Code.CONSTRAINT_INVALID,
            "lens",
            DemandKind.ONE_DESCRIPTION,
        )
        assert told.found == " | ".join(sorted(versions))


def test_one_plugin_described_in_two_ways_is_a_contradiction() -> None:
    report = answer(SODIUM, replace(SODIUM, conflicts=()))

    assert (Code.CONSTRAINT_INVALID, "sodium", "request") in {
        (f.code, f.subject, f.object) for f in report.findings
    }


def test_one_plugin_stated_twice_alike_is_one() -> None:
    """As with what is installed."""
    once, twice = answer(IRIS, SODIUM), answer(IRIS, SODIUM, replace(IRIS), SODIUM)

    assert replace(once, input_digest="") == replace(twice, input_digest="")
