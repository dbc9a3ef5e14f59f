"""The cases of the demo: a request each, and its expected result."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console
from rich.rule import Rule

from processors.bootstrap.clients import codec
from processors.checker.views import text
from processors.cli.requests.lines import line
from processors.client.install_request import InstallRequest
from processors.client.question import PluginQuestion
from processors.client.results import ask
from processors.configuration.settings import Settings
from processors.events.results import Result
from processors.events.subject import Subject
from processors.events.subject_record import subject_to_record

PLUGINS = Path(__file__).parents[3] / "scripts" / "demo.plugins"
PATIENCE = 60.0
"""Seconds for the first answer: the checker is starting meanwhile."""

CRM = "com.powerx.plugins.crm"
INVENTORY = "com.powerx.plugins.inventory-sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A request and its expected result. `says` are words that the summary must contain, `helps` its ways out."""

    title: str
    manifest: str
    host: str = "corex@1.9.0"
    installed: Sequence[str] = (f"{CRM}@0.6.0",)
    runtimes: Sequence[str] = ("go@1.22", "node@20.11")
    verdict: str
    codes: Sequence[str] = ()
    says: Sequence[str] = ()
    helps: Sequence[str] = ()
    in_full: bool = False


C1 = Scene(
    title="Case C-1: the host is a major version too old",
    manifest="inventory-sync-1.5.0.yaml",
    verdict="BLOCK",
    codes=("HOST_TOO_OLD",),
    says=("2.0.0", "1.9.0"),
    helps=("2.0.0", "1.4.2"),
    in_full=True,
)

SCENES = (
    Scene(
        title="A plugin that fits",
        manifest="audit-log-4.0.1.yaml",
        verdict="ALLOW",
    ),
    C1,
    Scene(
        title="The same plugin where the host is new enough",
        manifest="inventory-sync-1.5.0.yaml",
        host="corex@2.0.0",
        verdict="ALLOW",
    ),
    Scene(
        title="A release with a known weakness: it may go on, and somebody is told",
        manifest="chat-2.3.1.yaml",
        verdict="WARN",
        codes=("MATRIX_WARN",),
    ),
    Scene(
        title="A release that governance has blocked",
        manifest="legacy-reports-1.2.0.yaml",
        verdict="BLOCK",
        codes=("MATRIX_BLOCK",),
    ),
    Scene(
        title="A dependency that is missing, and a conflict",
        manifest="billing-3.1.0.yaml",
        host="corex@2.0.0",
        installed=("com.powerx.plugins.invoice-lite@1.2.0",),
        verdict="BLOCK",
        codes=("DEPENDENCY_MISSING", "PLUGIN_CONFLICT"),
    ),
    Scene(
        title="A plugin that does not say where it runs: undeclared is never a pass",
        manifest="weather-0.3.0.yaml",
        verdict="BLOCK",
        codes=("HOST_UNDECLARED",),
    ),
)


class Played(NamedTuple):
    """The result of a scene, and what was unexpected in it."""

    request_id: str
    digest: str
    """Digest of the report."""
    problems: list[str]


def play(scene: Scene, of: Settings) -> Played:
    """Ask, and show the answer."""
    console = Console(emoji=False)
    console.print(Rule(f"[bold]{scene.title}[/]", align="left"))
    question = PluginQuestion(
        manifest=[PLUGINS / scene.manifest],
        host=[scene.host],
        installed=scene.installed,
        runtimes=scene.runtimes,
    )
    with codec(of) as events:
        asked, now = _request(question.subject()), time.time_ns() // 1_000_000
        result = ask(of, events, asked.event(now), subject_to_record(asked.subject), PATIENCE)
    if scene.in_full:
        report = result.report
        shown = text.render(
            report, result.request_id, colour=console.is_terminal, width=min(console.width, 100) - 2
        )
        typer.echo(shown)
    else:
        console.print(line(result), soft_wrap=not console.is_terminal)  # a terminal breaks between words
    console.print()
    return Played(result.request_id, result.report_digest, list(_problems(scene, result)))


def _request(subject: Subject) -> InstallRequest:
    return InstallRequest(
        request_id=str(uuid.uuid4()),
        tenant="demo",
        operator="alice",
        subject=subject,
        target="demo-cluster",
    )


def _problems(scene: Scene, result: Result) -> Generator[str]:
    report = result.report
    found, ways_out = (
        {str(finding.code) for finding in report.findings},
        {plan.change.to for plan in report.remediations},
    )
    checks: list[tuple[str, Callable[[], bool]]] = [
        (f"verdict {result.verdict}, expected {scene.verdict}", lambda: result.verdict == scene.verdict),
        (f"findings {sorted(found)}, expected {sorted(scene.codes)} among them", lambda: found >= set(scene.codes)),
        (f"the summary lacks one of {scene.says}", lambda: all(word in report.summary for word in scene.says)),
        (f"ways out {sorted(map(str, ways_out))} lack one of {scene.helps}", lambda: ways_out >= set(scene.helps)),
    ]
    return (f"{scene.title}: {problem}" for problem, holds in checks if not holds())
