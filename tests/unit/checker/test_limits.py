"""However large a question is, its answer comes in time, fits a topic, and is the same in every process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract.case import record
from contract.test_processors import CASES
from examples.checkers import a_request
from examples.questions import HOUR, NOON, document
from typer.testing import CliRunner

from processors.checker.bounds import MOST_BYTES_OF_REPORT
from processors.checker.check import Answer, check
from processors.checker.evaluation import evaluator
from processors.checker.intake import LONGEST_ENVELOPE
from processors.cli.root import app
from processors.configuration.settings import settings
from processors.events.report import Report
from processors.events.report_record import report_to_record
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.subject_record import subject_to_record
from processors.events.topics import BLOCKS, INSTALL_REQUESTS, NOTIFICATIONS, RESULTS
from processors.events.vocabulary import Code, Verdict
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.types import LARGEST_VALUE
from processors.stream.wire.schema import Schemas

ROOT = Path(__file__).parents[3]
SAMPLE = ("--matrix", str(ROOT / "config" / "compat_matrix.yaml"))
MATRIX = Matrix.of([(document("governance", (), ()), NOON, NOON + HOUR)])
ENVELOPE = 10_000
"""Bytes, far more than an envelope takes."""


def answer(subject: Subject) -> Report:
    return check(subject, MATRIX, NOON, "sha256:0").report


def needing(count: int, length: int) -> Subject:
    requires = tuple(Requirement(f"{n:06}{'é' * length}", ">=1.0.0") for n in range(count))
    return Subject(
        manifest=Manifest(id="a", version="1.0.0", host_range="*", requires=requires), host=Host("h", "1.0.0")
    )


def a_chain(length: int, name: str, *more: str, enabled: bool = True, version: str = "1.0.0") -> Subject:
    """Each plugin needs the next one, and as many that are not there."""
    installed = tuple(
        InstalledPlugin(
            name.format(n),
            version,
            enabled=enabled,
            requires=(Requirement(name.format(n + 1)), *(Requirement(f"{id}{n}") for id in more)),
        )
        for n in range(length)
    )
    manifest = Manifest(id="a", version="1.0.0", host_range="*", requires=(Requirement(name.format(0)),))
    return Subject(manifest=manifest, host=Host("h", "1.0.0"), installed=installed)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(a_chain(300, "p{}", "m"), id="a chain that ends everywhere"),
        pytest.param(a_chain(3_000, "p{}", "m"), id="a long chain that ends everywhere"),
        pytest.param(a_chain(2_000, "p{}", enabled=False), id="a long chain that is switched off"),
        pytest.param(a_chain(60, "é" * 4_000 + "{}", "m"), id="a chain of long names"),
        pytest.param(a_chain(1, "p{}", enabled=False, version="1.0.0+" + "b" * 300_000), id="a long version"),
        pytest.param(needing(10_000, 40), id="ten thousand findings"),
        pytest.param(needing(1_000, 240), id="long names"),
        pytest.param(needing(3, 150_000), id="names that no topic would take"),
        pytest.param(
            Subject(
                manifest=Manifest(id="é" * 400_000, version="1" * 100_000), host=Host("h" * 300_000, "x" * 100_000)
            ),
            id="everything is long",
        ),
    ],
)
def test_an_answer_fits_a_topic(subject: Subject) -> None:
    """It blocks, says how many findings it leaves out, and its bytes are fewer than a topic takes."""
    report = answer(subject)
    size = len(Schemas.load(settings().schemas)["CompatibilityChecked"].encode_tail(report_to_record(report)))

    assert report.verdict is Verdict.BLOCK
    assert size < LARGEST_VALUE - ENVELOPE
    assert len({finding.id for finding in report.findings}) == len(report.findings)


def test_what_is_not_listed_is_counted() -> None:
    """A reader of the report must know that there is more."""
    report = answer(needing(3_000, 1))

    three_warnings = 3  # no runtime, no row and no security baseline are stated
    unlisted = 3_000 + three_warnings - len(report.findings)
    assert f"{unlisted} more findings are not listed" in report.remediation_note
    assert "more findings block too" in report.summary


def test_a_circle_of_a_thousand_plugins_is_found() -> None:
    """It neither recurses nor hangs."""
    circle = tuple(InstalledPlugin(f"p{n}", "1.0.0", requires=(Requirement(f"p{n + 1}"),)) for n in range(999))
    last = InstalledPlugin("p999", "1.0.0", requires=(Requirement("a"),))
    manifest = Manifest(id="a", version="1.0.0", host_range="*", requires=(Requirement("p0"),))

    began = time.process_time()
    report = answer(Subject(manifest=manifest, host=Host("h", "1.0.0"), installed=(*circle, last)))

    assert Code.DEPENDENCY_CYCLE in {finding.code for finding in report.findings}
    assert time.process_time() - began < 5


def test_the_work_grows_with_the_host_and_no_faster(tmp_path: Path) -> None:
    """2,000 installed plugins and 500 dependencies through the command line, beside a quarter of each: what looked
    at every plugin for every dependency would take sixteen times as long."""
    spent = {
        quarter: min(_seconds(tmp_path, 2_000 // quarter, 500 // quarter) for _ in range(3)) for quarter in (4, 1)
    }

    assert spent[1] < 10 * spent[4]


def _seconds(folder: Path, plugins: int, dependencies: int) -> float:
    """Processor time of a check that passes."""
    needs = "\n".join(f'    - "p{n} >=1.0.0"' for n in range(dependencies))
    manifest, listed = folder / "plugin.yaml", folder / "installed.txt"
    manifest.write_text(f'id: a\nversion: "1.0.0"\ncorex_version: "*"\ndependencies:\n  requires:\n{needs}\n')
    listed.write_text("\n".join(f"p{n}@1.2.0" for n in range(plugins)))
    question = ["check", "-m", str(manifest), "--host", "corex@1.9.0", "--installed-from", str(listed), *SAMPLE]

    began = time.process_time()
    result = CliRunner().invoke(app, question)

    assert result.exit_code == 0, result.output
    return time.process_time() - began


def test_every_process_gives_the_same_report() -> None:
    """Whatever its hash seed is."""
    question = ["check", "-m", "scripts/demo.plugins/billing-3.1.0.yaml", "--host", "corex@1.9.0", *SAMPLE]
    more = ["--installed", "com.powerx.plugins.invoice-lite@1.2.0", "--at", "2026-11-24", "--output", "json"]

    said = {
        subprocess.run(
            [sys.executable, "-m", "processors.cli", *question, *more],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=ROOT,
            capture_output=True,
            check=False,
        ).stdout
        for seed in ("1", "2", "3")
    }

    [same] = said
    assert b'"verdict": "BLOCK"' in same


def test_every_request_has_a_result_however_its_names_are_chained() -> None:
    """Ten kilobytes of a question: a result, a block and a notification, and no dead letter."""
    [case] = [case for case in CASES if case.name == "checker"]
    head = next(one.value[:5] for one in case.records if one.topic == INSTALL_REQUESTS and one.value)
    body = Schemas.load(settings().schemas)["InstallRequested"].encode(a_request(a_chain(300, "p{}", "m")))
    outcome = case.processor().handle([record(INSTALL_REQUESTS, 0, "a", head + body)], case.view())

    assert [output.topic for output in outcome.outputs] == [RESULTS, BLOCKS, NOTIFICATIONS]
    assert outcome.rejects == []


def test_a_plan_cures_findings_that_are_listed() -> None:
    """One removal cures five thousand; the report does not name what it does not have."""
    ranges = tuple(Requirement("p", f"<{n + 2}") for n in range(5_000))
    manifest = Manifest(id="a", version="1.0.0", host_range="*", conflicts=ranges)
    report = answer(Subject(manifest=manifest, host=Host("h", "1.0.0"), installed=(InstalledPlugin("p", "1.0.0"),)))

    [plan] = report.remediations
    cured = {id for step in plan.steps for id in step.cures}
    assert cured == {finding.id for finding in report.findings if finding.blocks}
    assert 0 < len(cured) < 5_000


@pytest.mark.parametrize("verdict", [Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK])
def test_a_report_that_no_topic_would_take_is_answered_with_a_block(verdict: Verdict) -> None:
    """The last line of defence, wherever a limit was forgotten: never silence, and never a pass."""
    subject = needing(1, 1)
    huge = replace(answer(subject), verdict=verdict, remediation_note="é" * 500_000)
    schemas = Schemas.load(settings().schemas)
    requests, results = schemas["InstallRequested"], schemas["CompatibilityChecked"]
    evaluate = evaluator(
        lambda data: data_of(subject, data),
        results.encode_tail,
        lambda said: json.dumps(said, default=str).encode(),
        lambda *_: Answer(huge, NOON + HOUR),
    )
    answered = evaluate(requests.encode_tail(subject_to_record(subject)), MATRIX, NO_POLICIES, NOON)

    assert (answered.verdict, answered.finding_codes) == (Verdict.BLOCK, (Code.CONSTRAINT_INVALID,))
    assert len(answered.report) < ENVELOPE < MOST_BYTES_OF_REPORT
    assert "the report is too large" in answered.summary
    assert MOST_BYTES_OF_REPORT + 2 * LONGEST_ENVELOPE < LARGEST_VALUE - ENVELOPE


def data_of(subject: Subject, _data: bytes) -> Mapping[str, Any]:
    return subject_to_record(subject)
