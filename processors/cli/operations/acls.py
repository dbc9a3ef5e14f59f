"""`compat-guard acls`: the access rules for the broker, compared with a cluster and applied to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer

from processors.bootstrap.clients import access_rules
from processors.cli import tables, talk
from processors.configuration.settings import settings
from processors.contracts.access import Rule, document, page, rules
from processors.documents.yaml_writing import to_yaml
from processors.errors import SettingsInvalid

app = typer.Typer(
    add_completion=False,
    help="Access rules for the broker: show them, compare them with a cluster, apply them.",
    no_args_is_help=True,
)


class Output(StrEnum):
    table = "table"
    json = "json"


Names = Annotated[
    list[str] | None,
    typer.Option(
        "--principal", help="principal of a role, where it is not `User:ROLE`; repeatable", metavar="ROLE=TYPE:NAME"
    ),
]
Style = Annotated[Output, typer.Option("--output", "-o", help="how to show it on stdout")]


@app.command()
def show(principal: Names = None) -> None:
    """Print every rule as YAML. The principals of your cluster can be given for the roles."""
    typer.echo(to_yaml(document(rules(_names(principal)))), nl=False)


@app.command("page")
def show_page() -> None:
    """Print the table of roles as Markdown, for people."""
    typer.echo(page(), nl=False)


@app.command("diff")
def show_difference(principal: Names = None, output: Style = Output.table) -> None:
    """Show missing and excess permissions of the principals. Ends with 0 if there are none, 1 if there are."""
    missing, excess = _difference(principal)
    _show(missing, excess, output)
    raise typer.Exit(1 if missing or excess else 0)


@app.command()
def apply(
    principal: Names = None,
    output: Style = Output.table,
    prune: Annotated[
        bool, typer.Option("--prune", help="also remove excess permissions of the principals")
    ] = False,
) -> None:
    """Give every principal its missing permissions. Idempotent. Rules of other principals are left alone."""
    missing, excess = _difference(principal)
    _show(missing, excess if prune else [], output)
    cluster = access_rules(settings())
    cluster.add(missing)
    if prune:
        cluster.remove(excess)
    elif excess:
        talk().print(f"{len(excess)} rules too many are left; `acls diff` lists them, --prune takes them away")


def _difference(principal: list[str] | None) -> tuple[list[Rule], list[Rule]]:
    wanted = rules(_names(principal))
    found = access_rules(settings()).read({rule.principal for rule in wanted})
    return sorted(wanted - found), sorted(found - wanted)


def _names(given: list[str] | None) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in given or ():
        role, equals, principal = text.partition("=")
        if not equals:
            raise SettingsInvalid(f"--principal `{text}` is not ROLE=TYPE:NAME, such as checker=User:guard-checker")
        named[role] = principal
    return named


def _show(missing: Iterable[Rule], excess: Iterable[Rule], output: Output) -> None:
    rows = [("add", rule) for rule in missing] + [("remove", rule) for rule in excess]
    if output is Output.json:
        typer.echo(json.dumps([{"step": step, **rule._asdict()} for step, rule in rows]))
    elif not rows:
        typer.echo("nothing to do")
    else:
        tables.show(
            ("what", "principal", "may", "of"),
            [(step, r.principal, r.operation, f"{r.resource} {_named(r)}") for step, r in rows],
        )


def _named(rule: Rule) -> str:
    return f"{rule.name}*" if rule.pattern == "PREFIXED" else rule.name
