"""`compat-guard plan`: how a host can be upgraded, or an installation repaired. Needs no broker."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from processors.checker.plans.installation import Installation, InstallationPlan, Outlook, plan_for
from processors.checker.views import installation as view
from processors.cli.requests.check import At, Component, MatrixFiles, PolicyFiles, instant
from processors.cli.requests.pages import Paper, ToFile, put
from processors.cli.requests.question import Database, Installed, InstalledFile, Runtimes
from processors.client.installed import id_and_version, read_installed
from processors.client.matrices import chosen_matrix, matrix_of
from processors.client.mistyped import refuse_mistyped, refuse_mistyped_host
from processors.client.question import DATABASE, HOST, RUNTIME, only
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid, VersionInvalid
from processors.events.subject import Host, InstalledPlugin, Provision
from processors.matrix.merged import Matrix
from processors.policies import Policies
from processors.policies.text import load_policies
from processors.versions import Dialect, parse_version

HELD_BACK: Final = 1

Wanted = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        help="target host, such as corex@2.0.0; without it, the installation is repaired on the present host",
        metavar="NAME@VERSION",
        show_default=False,
    ),
]
Present = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        help="present host, such as corex@1.9.0; with it, the plan says what can be done before the upgrade",
        metavar="NAME@VERSION",
        show_default=False,
    ),
]


class PlanStyle(StrEnum):
    """A plan has no SARIF form, because it is not a list of findings in a file."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"
    junit = "junit"


PlanOutput = Annotated[PlanStyle, typer.Option("--output", "-o", help="how to show the plan")]


def plan(
    host: Wanted = None,
    present: Present = None,
    installed: Installed = None,
    installed_from: InstalledFile = None,
    runtime: Runtimes = None,
    database: Database = None,
    matrix: MatrixFiles = None,
    policies: PolicyFiles = None,
    component: Component = None,
    at: At = None,
    output: PlanOutput = PlanStyle.text,
    file: ToFile = None,
) -> None:
    """Show how an installation can move to a newer host with every plugin fitting, or which plugins hold it back.

    Needs no broker. Without --host: what makes every plugin fit the present host. Ends with 0 if everything fits or
    there is a plan, 1 if there is none or it cannot be judged, 2 if the input cannot be read.
    """
    listed = read_installed(installed_from) if installed_from else ()
    installation = Installation(
        present=_host("--from", present),
        wanted=_host("--host", host),
        plugins=(*(InstalledPlugin(*id_and_version("--installed", text)) for text in installed or ()), *listed),
        runtimes=tuple(Provision(*id_and_version("--runtime", text, RUNTIME)) for text in runtime or ()),
        database=Provision(*id_and_version("--database", database, DATABASE)) if database else None,
    )
    refuse_mistyped("--runtime", installation.runtimes)
    refuse_mistyped("--database", (installation.database,) if installation.database else ())
    now = instant(at) if at else time.time_ns() // 1_000_000
    known = matrix_of(matrix or [chosen_matrix(settings())], settings(), now)
    _refuse_what_is_no_question(installation, known)
    answer = plan_for(installation, known, now, Policies.of(load_policies(policies or (), component)))
    refuse_mistyped_host(installation.target, answer.unjudged)
    _show(answer, output, file)
    raise typer.Exit(0 if answer.outlook in (Outlook.FITS, Outlook.PLAN) else HELD_BACK)


def _host(option: str, given: list[str] | None) -> Host | None:
    return Host(*id_and_version(option, only(option, given), HOST)) if given else None


def _refuse_what_is_no_question(installation: Installation, matrix: Matrix) -> None:
    present, wanted = installation.present, installation.wanted
    if present is None and wanted is None:
        raise SettingsInvalid(
            "neither --host nor --from is given; --host corex@2.0.0 asks for the way to that version, "
            "--from corex@1.9.0 alone for what makes everything fit on it"
        )
    if not installation.plugins:
        raise SettingsInvalid(
            "no plugin is given; name what is installed with --installed-from FILE or --installed"
        )
    if present is None or wanted is None:
        return
    if present.name != wanted.name:
        raise SettingsInvalid(
            f"--from is about `{present.name}`, --host about `{wanted.name}`; a plan keeps the host"
        )
    declared = matrix.host(wanted.name)
    dialect = Dialect(declared.dialect) if declared else Dialect.NPM
    try:
        older = parse_version(wanted.version, dialect) < parse_version(present.version, dialect)
    except VersionInvalid:
        return  # the answer reports that
    if older:
        raise SettingsInvalid(
            f"--host `{wanted.version}` is older than --from `{present.version}`; a plan never downgrades a host"
        )


def _show(answer: InstallationPlan, style: PlanStyle, file: Path | None) -> None:
    put(_rendered(answer, style, Paper.of(file)), file)


def _rendered(answer: InstallationPlan, style: PlanStyle, paper: Paper) -> str:
    match style:
        case PlanStyle.json:
            return view.as_json(answer)
        case PlanStyle.markdown:
            return view.markdown(answer)
        case PlanStyle.html:
            return view.html(answer)
        case PlanStyle.junit:
            return view.junit(answer)
        case PlanStyle.text:
            return view.text(answer, colour=paper.colour, width=paper.width)
