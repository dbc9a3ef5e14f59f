"""`compat-guard topics`: the contract between the processors: validate it, compare it with a cluster, apply it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import processors
from processors.cli import tables, talk
from processors.cli.formats import Listing, ListingOption
from processors.configuration.settings import settings
from processors.contracts.asyncapi import document
from processors.contracts.files import Contract, load_contract, problems, release_text, unreleased
from processors.contracts.page import page
from processors.contracts.plan import Create, Plan, RegisterSchema, SetCompatibility, SetConfig, Step, diff
from processors.documents.yaml_writing import to_yaml
from processors.errors import ContractBroken

if TYPE_CHECKING:
    from processors.stream.admin.topics import Cluster

app = typer.Typer(
    add_completion=False,
    help="Topics and schemas: check them, compare them with a cluster, apply them.",
    no_args_is_help=True,
)


File = Annotated[Path | None, typer.Option("--file", help="topics file; default: topics.yaml of the config folder")]
Shorter = Annotated[
    bool, typer.Option("--allow-shorter-retention", help="permit changes that delete stored records")
]


@app.command()
def lint(file: File = None, output: ListingOption = Listing.table) -> None:
    """Check topics and schemas without any server. Ends with 1 if something is wrong."""
    found = problems(_declared(file))
    if output is Listing.json:
        typer.echo(json.dumps([asdict(problem) for problem in found]))
    elif found:
        tables.show(("where", "problem"), [(problem.where, problem.message) for problem in found])
    else:
        typer.echo("no problems")
    raise typer.Exit(1 if found else 0)


@app.command("diff")
def show_difference(file: File = None, output: ListingOption = Listing.table, shorter: Shorter = False) -> None:
    """Show what apply would do. Ends with 0 if nothing, 1 if something, 3 if a server does not answer."""
    contract = _sound(file)
    with _cluster() as cluster:
        plan = diff(contract, cluster.read(contract), allow_shorter_retention=shorter)
    _show_plan(plan, output)
    raise typer.Exit(0 if plan.is_empty else 1)


@app.command()
def apply(file: File = None, output: ListingOption = Listing.table, shorter: Shorter = False) -> None:
    """Create topics, register schemas, set what differs. Idempotent.

    Ends with 2, and does nothing at all, if any change would lose records, move keys or break a reader.
    """
    contract = _sound(file)
    with _cluster() as cluster:
        plan = diff(contract, cluster.read(contract), allow_shorter_retention=shorter)
        _show_plan(plan, output)
        cluster.apply(plan)


@app.command()
def asyncapi(file: File = None) -> None:
    """Print the contract as an AsyncAPI document: the file asyncapi.yaml beside the schemas."""
    contract = _sound(file)
    typer.echo(to_yaml(document(contract, processors.__version__)), nl=False)


@app.command("page")
def show_page(file: File = None) -> None:
    """Print the contract as a page for people: the file README.md beside the schemas."""
    typer.echo(page(_sound(file)), nl=False)


@app.command()
def release(file: File = None) -> None:
    """Keep a copy of each schema that has changed since its last release. It must stay readable from then on.

    Run it once for each release, before the schemas are applied anywhere, and commit what it writes.
    """
    contract, folder = _sound(file), settings().schemas / "released"
    changed = unreleased(contract)
    for event, number in changed.items():
        path = folder / event / f"{number}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(release_text(contract.schemas[event]), encoding="utf-8")
        typer.echo(f"{event} version {number}")
    if not changed:
        typer.echo("nothing to do")


def _declared(file: Path | None) -> Contract:
    return load_contract(file or settings().config / "topics.yaml", settings().schemas)


def _sound(file: Path | None) -> Contract:
    contract = _declared(file)
    if found := problems(contract):
        raise ContractBroken("\n".join(map(str, found)))
    return contract


def _cluster() -> AbstractContextManager[Cluster]:
    from processors.bootstrap.clients import cluster  # noqa: PLC0415 - lint needs no client library

    return cluster(settings())


def _show_plan(plan: Plan, output: Listing) -> None:
    if output is Listing.json:
        typer.echo(json.dumps(_plan_json(plan)))
    elif plan.is_empty:
        typer.echo("nothing to do")
    else:
        refused = [("refused", refusal.about, f"{refusal.why}; {refusal.way_out}") for refusal in plan.refusals]
        tables.show(("what", "of", "how"), [_row(step) for step in plan.steps] + refused)
    for name in plan.unknown:
        talk().print(f"topic {name} is declared by nobody; it is left alone", highlight=False)


def _plan_json(plan: Plan) -> dict[str, object]:
    return {
        "steps": [{"step": type(step).__name__, **asdict(step)} for step in plan.steps],
        "refusals": [asdict(refusal) for refusal in plan.refusals],
        "unknown": list(plan.unknown),
    }


def _row(step: Step) -> tuple[str, str, str]:
    match step:
        case Create():
            return "create", step.topic, f"partitions: {step.partitions}, {_kept(step)}"
        case SetConfig():
            return "set", step.topic, f"{step.key}: {step.found or 'unset'} -> {step.wanted}"
        case RegisterSchema():
            return "register", step.subject, f"version {step.version}"
        case SetCompatibility():
            return "set", step.subject, f"compatibility: {step.found or 'unset'} -> {step.wanted}"


def _kept(step: Create) -> str:
    days = int(step.config.get("retention.ms", 0)) / 86_400_000
    return f"kept {days:g} d" if days else step.config["cleanup.policy"]
