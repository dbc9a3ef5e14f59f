"""`compat-guard check`: the whole check without a broker, for a vendor's CI and for trying it before a request."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from processors.checker.check import check as judge
from processors.checker.evaluation import evaluator
from processors.cli import talk
from processors.cli.requests.answers import Output, Style, exit_code, show
from processors.cli.requests.pages import ToFile
from processors.cli.requests.question import (
    Database,
    HostOption,
    Installed,
    InstalledFile,
    ManifestFile,
    Previous,
    Runtimes,
    Together,
)
from processors.client.matrices import chosen_matrix, matrix_of
from processors.client.mistyped import refuse_mistyped_host
from processors.client.policy_reach import idle_for
from processors.client.question import PluginQuestion
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid
from processors.events.report_record import report_from_record
from processors.events.subject_record import subject_to_record
from processors.policies import Policies, SecurityPolicy
from processors.stream.wire.schema import Schema
from processors.stream.wire.spans import Run

MatrixFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--matrix",
        help="matrix to check against; repeatable, one source each",
        metavar="FILE",
        show_default="compat_matrix.yaml of GUARD_CONFIG, else of ./config",
    ),
]
PolicyFiles = Annotated[
    list[Path] | None,
    typer.Option("--policies", help="security policies to judge by, or OSV records; repeatable"),
]
Component = Annotated[
    str | None,
    typer.Option("--component", help="plugin that the OSV records are about; default: the packages they name"),
]
At = Annotated[
    str | None, typer.Option("--at", help="judge as at this time (ISO 8601, UTC unless it says otherwise)")
]


_EVENTS: Final = ("InstallRequested", "CompatibilityChecked")
"""The encoder of the subjects that the check judges."""


def check(
    manifest: ManifestFile,
    host: HostOption,
    runtime: Runtimes = None,
    installed: Installed = None,
    installed_from: InstalledFile = None,
    database: Database = None,
    previous: Previous = None,
    together: Together = None,
    matrix: MatrixFiles = None,
    policies: PolicyFiles = None,
    component: Component = None,
    at: At = None,
    output: Output = Style.text,
    file: ToFile = None,
) -> None:
    """Check whether a plugin may be installed, why not, and what to do about it. Needs no broker.

    Ends with 0 if it may be installed (a warning included), 1 if it is blocked, 2 if the input cannot be read.
    """
    question = PluginQuestion(
        manifest=manifest,
        host=host,
        runtimes=runtime or (),
        installed=installed or (),
        installed_from=installed_from,
        database=database,
        previous=previous,
        together=together or (),
    )
    requests, reports = (Schema.load(settings().schemas / f"{event}.avsc") for event in _EVENTS)
    asked = question.subject()
    subject = requests.encode_tail(subject_to_record(asked))
    now = instant(at) if at else time.time_ns() // 1_000_000
    files = matrix or [chosen_matrix(settings())]
    said = Run(reports, "plugin_id", "report_digest")
    evaluate = evaluator(requests.decode_tail, reports.encode_tail, said.encode, judge)
    stated = _stated(policies or (), component)
    for name in idle_for(asked.manifest, stated):
        talk().print(
            f"warning: the policy of `{name}` binds neither the plugin nor what it states inside",
            markup=False,
            highlight=False,
        )
    answered = evaluate(
        subject,
        matrix_of(files, settings(), now),
        Policies.of(stated),
        now,
    )
    report = report_from_record(reports.decode_tail(answered.report))
    refuse_mistyped_host(asked.host, report.findings)
    show(report, answered.digest, output, file, artifact=str(manifest[0]), matrices=tuple(map(str, files)))
    raise typer.Exit(exit_code(answered.verdict))


def _stated(files: Sequence[Path], component: str | None) -> tuple[SecurityPolicy, ...]:
    if not files:
        return ()
    from processors.policies.text import load_policies  # noqa: PLC0415 - read where there is something to read

    return load_policies(files, component)


def instant(text: str) -> int:
    """Milliseconds since the epoch. Raises SettingsInvalid."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsInvalid(f"--at `{text}` is not a time such as 2026-11-24T12:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
