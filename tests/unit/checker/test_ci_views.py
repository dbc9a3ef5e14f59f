"""SARIF and JUnit XML: what build servers and code review read."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from examples.cases import BY_NAME, CASES

from processors.checker.check import check
from processors.checker.labelled_cases import LabelledCase
from processors.checker.views import junit, sarif
from processors.events.report import Report

every_case = pytest.mark.parametrize("case", CASES, ids=BY_NAME)


def report_of(case: LabelledCase) -> Report:
    return check(case.subject, case.matrix, case.now, "sha256:0", case.policies).report


@every_case
def test_sarif_has_a_result_for_each_finding(case: LabelledCase) -> None:
    """What the specification demands: version, one run, a driver with its rules, results that refer to them."""
    report = report_of(case)
    log = json.loads(sarif.render(report, "sha256:0", "plugins/a b/plugin.yaml"))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert log["version"] == "2.1.0"
    assert [result["partialFingerprints"]["findingId/v1"] for result in run["results"]] == [
        finding.id for finding in report.findings
    ]
    for result, finding in zip(run["results"], report.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert result["level"] == ("error" if finding.blocks else "warning")
        assert result["message"]["text"].startswith(finding.sentence)
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == "plugins/a%20b/plugin.yaml"


@every_case
def test_junit_fails_exactly_where_something_blocks(case: LabelledCase) -> None:
    """A warning is a case that passes and says so."""
    report = report_of(case)
    root = ElementTree.fromstring(junit.render(report, "sha256:0"))  # noqa: S314 - our own document
    failed = root.findall(".//failure")

    assert len(failed) == sum(finding.blocks for finding in report.findings)
    assert root.get("failures") == str(len(failed))
    assert root.get("tests") == str(len(root.findall(".//testcase"))) == str(max(1, len(report.findings)))


def test_a_way_out_stands_beside_what_it_cures() -> None:
    """Whoever reads a review comment need not open the report."""
    report = report_of(BY_NAME["c-1-the-host-is-a-major-version-too-old"])
    (result,) = json.loads(sarif.render(report, "", None))["runs"][0]["results"]

    assert result["message"]["text"].endswith(
        "What helps: install inventory-sync 1.4.2, or upgrade corex to 2.0.0."
    )
    assert "physicalLocation" not in result["locations"][0]
