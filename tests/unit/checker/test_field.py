"""Situations out of public bug reports, with what is right in verdict, plan, names and what must not be said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from processors.checker.views import html, markdown, text
from processors.cli.root import app
from processors.events.report import Report
from processors.events.report_record import report_from_record

FILE = Path(__file__).parents[4] / "shared" / "field" / "cases.yaml"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"the situations are not there: no {FILE}")

CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8")) if FILE.exists() else []


HOW_VERSIONS_ARE_WRITTEN = (
    *("vscode", "java", "reported", "minimum", "four-part", "plugin-prerelease", "inclusive", "grafana"),
    *("compatible-since", "no-place"),
)
"""Beginnings of the names of cases about version schemes and manifests, which tests of those rooms judge."""


def is_about_plans(case: dict[str, Any]) -> bool:
    return not case["name"].startswith(HOW_VERSIONS_ARE_WRITTEN)


every_case = pytest.mark.parametrize("case", [c for c in CASES if is_about_plans(c)], ids=lambda c: c["name"])


@every_case
def test_the_verdict_is_right(case: dict[str, Any], tmp_path: Path) -> None:
    """The whole answer as JSON, from the command line."""
    report = answered(case, tmp_path)

    assert report.verdict == case["right"]["verdict"], report.summary
    if "code" in case["right"]:
        assert case["right"]["code"] in [finding.code for finding in report.findings]


@pytest.mark.parametrize("case", [c for c in CASES if "names" in c["right"]], ids=lambda c: c["name"])
def test_the_text_names_whoever_has_to_do_with_it(case: dict[str, Any], tmp_path: Path) -> None:
    """In every view."""
    report = answered(case, tmp_path)

    for view in (text.render(report), markdown.render(report), html.render(report, "")):
        assert all(name in view for name in case["right"]["names"])


PLANS = {
    "chain-missing": ["install d 4.0.0, then install c 3.0.0, then install b 2.0.0"],
    "lockstep": ["upgrade sodium to 0.9.1 together with iris 1.11.2"],
    "disabled-and-old": ["upgrade crm to 0.5.0, then enable crm"],
    "releases-before-candidates": ["upgrade homeassistant to 2024.7.0"],
    "installed-version-is-no-remedy": ["upgrade corex to 2.0.0 together with p 2.0.0"],
    "host-upgrade-breaks-others": [],
    "linear-derivation": [],
    "circle-not-installed": [],
}
"""All that is offered, in words."""


@pytest.mark.parametrize("case", [c for c in CASES if c["name"] in PLANS], ids=lambda c: c["name"])
def test_the_plans_are_those_that_are_right(case: dict[str, Any], tmp_path: Path) -> None:
    """What a way out must contain, and nothing of what it must not propose."""
    report = answered(case, tmp_path)

    assert [plan.sentence for plan in report.remediations] == PLANS[case["name"]]


NEVER = {
    "circle-not-installed": ["nstall b"],
    "lockstep": ["nstall iris 1.10.9"],
    "host-upgrade-breaks-others": ["pgrade nextcloud"],
    "installed-version-is-no-remedy": ["nstall p 1.4.0", "nstall p 1.5.0"],
    "linear-derivation": ["nstall foo", "nstall baz", "nstall bar"],
}
"""Orders that stand nowhere in the report, however they begin."""


@pytest.mark.parametrize("case", [c for c in CASES if c["name"] in NEVER], ids=lambda c: c["name"])
def test_what_does_not_help_is_ordered_nowhere(case: dict[str, Any], tmp_path: Path) -> None:
    """Neither in the summary nor beside a finding."""
    said = text.render(answered(case, tmp_path))

    assert [order for order in NEVER[case["name"]] if order in said] == []


def test_the_shortest_reason_is_told_where_nothing_helps(tmp_path: Path) -> None:
    """The chain of facts, each with who says so, the one that nothing can meet last."""
    (case,) = (case for case in CASES if case["name"] == "linear-derivation")
    links = answered(case, tmp_path).derivation

    assert [(link.finding.subject, link.version, link.finding.object) for link in links] == [
        ("root", "1.0.0", "baz"),
        ("root", "1.0.0", "foo"),
        ("foo", "1.0.0", "bar"),
        ("bar", "2.0.0", "baz"),
    ]


def answered(case: dict[str, Any], folder: Path) -> Report:
    manifest, matrix = folder / case["manifest"]["file"], folder / "matrix.yaml"
    manifest.write_text(case["manifest"]["text"], "utf-8")
    matrix.write_text(case["matrix"], "utf-8")
    arguments = ["--manifest", manifest, "--matrix", matrix, "--host", case["host"], *case.get("args", ())]
    if case.get("installed"):
        (folder / "installed.json").write_text(json.dumps(case["installed"]), "utf-8")
        arguments += ["--installed-from", folder / "installed.json"]
    done = CliRunner().invoke(app, ["check", *map(str, arguments), "--output", "json"])
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    record = json.loads(done.stdout)
    return report_from_record(record)
