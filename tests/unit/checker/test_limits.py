"""However large a question is, its answer comes in time, fits a topic, and is the same in every process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from examples.questions import HOUR, NOON, document
from typer.testing import CliRunner

from processors.checker.check import check
from processors.cli.root import app
from processors.configuration.settings import settings
from processors.events.report import Report
from processors.events.report_record import report_to_record
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.vocabulary import Code, Verdict
from processors.matrix.merged import Matrix
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


@pytest.mark.parametrize(
    "subject",
    [
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
