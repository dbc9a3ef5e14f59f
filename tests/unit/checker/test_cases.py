"""Each labelled case of tests/data/cases through the pure check, and through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.cases import CASES
from typer.testing import CliRunner

from processors.checker.check import check
from processors.checker.labelled_cases import LabelledCase
from processors.cli.root import app
from processors.events.vocabulary import Code, Verdict

every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def test_every_finding_code_has_a_case() -> None:
    """A code without a case would be a promise that nobody keeps. GUARD_OFF is no finding of a check."""
    labelled = {code for case in CASES for code in case.expected.findings}

    assert labelled == {*Code} - {Code.UNKNOWN, Code.GUARD_OFF}
    assert len({case.name for case in CASES}) == len(CASES) >= 50


@every_case
def test_the_check_answers_as_labelled(case: LabelledCase) -> None:
    """Verdict, finding codes, and where a case states them the ways out and the score."""
    report = check(case.subject, case.matrix, case.now, "sha256:0", case.policies).report
    expected = case.expected

    assert report.verdict is expected.verdict, report.summary
    assert tuple(sorted(finding.code for finding in report.findings)) == expected.findings
    if expected.remedies is not None:
        assert tuple(remedy.sentence for remedy in report.remediations) == expected.remedies
    if expected.score is not None:
        assert report.risk.score == expected.score


def said_on_the_command_line(case: LabelledCase) -> bool:
    """The command line takes no policies, no host's own statements, and no versions that are slips."""
    words = {case.raw.get("host", ""), *case.raw.get("runtimes", ())}
    return (
        not words & {"corex@nightly", "go@tip"}
        and bool(case.documents)
        and not case.raw.keys() & {"policies", "host_provides", "host_baseline"}
    )


ON_THE_COMMAND_LINE = [case for case in CASES if said_on_the_command_line(case)]


def test_most_cases_can_be_said_on_the_command_line() -> None:
    """Else the runner below would prove little."""
    assert len(ON_THE_COMMAND_LINE) > len(CASES) / 2


@pytest.mark.parametrize("case", ON_THE_COMMAND_LINE, ids=[case.name for case in ON_THE_COMMAND_LINE])
def test_the_command_line_answers_the_same(case: LabelledCase, tmp_path: Path) -> None:
    """The same findings, and an exit code that a pipeline can rely on."""
    result = CliRunner().invoke(app, ["check", *_arguments(case, tmp_path), "--output", "json"])
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    report = json.loads(result.stdout)

    assert report["verdict"] == case.expected.verdict
    assert tuple(sorted(finding["code"] for finding in report["findings"])) == case.expected.findings
    assert result.exit_code == (1 if case.expected.verdict is Verdict.BLOCK else 0)


def _arguments(case: LabelledCase, folder: Path) -> Iterator[str]:
    raw = case.raw
    yield from ("--manifest", _written(folder / "plugin.yaml", raw["manifest"]))
    for number, (document, _) in enumerate(case.documents):
        yield from ("--matrix", _written(folder / f"matrix-{number}.yaml", document))
    if listed := [_listed(item) for item in raw.get("installed", ())]:
        yield from ("--installed-from", _written(folder / "installed.json", listed))
    for runtime in raw.get("runtimes", ()):
        yield from ("--runtime", runtime)
    for option in ("database", "previous"):
        if option in raw:
            yield from (f"--{option}", raw[option])
    yield from ("--host", raw.get("host", "corex@1.9.0"), "--at", case.at)


def _listed(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        id, _, version = item.rpartition("@")
        return {"id": id, "version": version}
    stated = {**item, **item.get("dependencies", {}), **item.get("capabilities", {})}
    optional = [_optional(text) for text in stated.pop("optional", ())]
    if optional:
        stated["requires"] = [*stated.get("requires", ()), *optional]
    return {key: value for key, value in stated.items() if key not in ("dependencies", "capabilities")}


def _optional(text: str) -> dict[str, Any]:
    id, _, range = text.partition(" ")
    return {"id": id, "range": range, "optional": True}


def _written(path: Path, value: Any) -> str:
    path.write_text(json.dumps(value) if path.suffix == ".json" else yaml.safe_dump(json.loads(json.dumps(value))))
    return str(path)
