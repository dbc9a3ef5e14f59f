"""`compat-guard acls`: the access rules for the broker, compared with a cluster and applied to it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer

from processors.bootstrap.clients import access_rules
from processors.cli import tables, talk
from processors.configuration.settings import settings
from processors.contracts.access import EVERYWHERE, Rule, document, page, rules
from processors.contracts.grants import excess, foreign
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
Expected = Annotated[
    list[str] | None,
    typer.Option(
        "--expect", help="another principal that may reach what is the guard's; repeatable", metavar="TYPE:NAME"
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
def show_difference(principal: Names = None, expect: Expected = None, output: Style = Output.table) -> None:
    """Show missing and excess permissions, and those of others. Ends with 0 if there are none, 1 if there are.

    `add` is missing, `remove` is more than a role needs, and `foreign` is a permission of another principal that
    reaches the guard's topics, consumer groups or transactional ids. Permissions on the cluster are not compared.
    """
    found = _difference(principal, expect)
    _show(found, output)
    raise typer.Exit(1 if any(found) else 0)


@app.command()
def apply(
    principal: Names = None,
    expect: Expected = None,
    output: Style = Output.table,
    prune: Annotated[
        bool, typer.Option("--prune", help="also remove excess permissions of the principals")
    ] = False,
) -> None:
    """Give every principal its missing permissions. Idempotent. Rules of other principals are left alone.

    With --prune it ends with 1 if such a rule reaches the guard's topics, consumer groups or transactional ids.
    """
    found = _difference(principal, expect)
    _show(found if prune else found._replace(excess=[], others=[]), output)
    cluster = access_rules(settings())
    cluster.add(found.missing)
    if prune:
        cluster.remove(found.excess)
    elif found.excess:
        talk().print(
            f"{len(found.excess)} rules too many are left; `acls diff` lists them, --prune takes them away"
        )
    if found.others:
        talk().print(
            f"{len(found.others)} rules of other principals reach what is the guard's, and are left; "
            "`acls diff` lists them, --expect names who is meant to have them",
            highlight=False,
        )
    raise typer.Exit(1 if prune and found.others else 0)


class _Difference(NamedTuple):
    missing: list[Rule]
    excess: list[Rule]
    others: list[Rule]


def _difference(principal: list[str] | None, expect: list[str] | None) -> _Difference:
    wanted, expected = rules(_names(principal)), {_principal(text) for text in expect or ()}
    found = access_rules(settings()).read()
    others = [rule for rule in foreign(found, wanted) if rule.principal not in expected]
    return _Difference(sorted(wanted - found), sorted(excess(found, wanted)), sorted(others))


def _principal(text: str) -> str:
    if ":" not in text:
        raise SettingsInvalid(f"--expect `{text}` is no principal; it looks like `User:mirror`")
    return text


def _names(given: list[str] | None) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in given or ():
        role, equals, principal = text.partition("=")
        if not equals:
            raise SettingsInvalid(f"--principal `{text}` is not ROLE=TYPE:NAME, such as checker=User:guard-checker")
        named[role] = principal
    return named


def _show(found: _Difference, output: Output) -> None:
    steps = zip(("add", "remove", "foreign"), found, strict=True)
    rows = [(step, rule) for step, rules_of_step in steps for rule in rules_of_step]
    if output is Output.json:
        typer.echo(json.dumps([{"step": step, **rule._asdict()} for step, rule in rows]))
    elif not rows:
        typer.echo("nothing to do")
    else:
        tables.show(
            ("what", "principal", "may", "of"),
            [(step, _who(r), r.operation, f"{r.resource} {_named(r)}") for step, r in rows],
        )


def _who(rule: Rule) -> str:
    return rule.principal if rule.host == EVERYWHERE else f"{rule.principal} from {rule.host}"


def _named(rule: Rule) -> str:
    return f"{rule.name}*" if rule.pattern == "PREFIXED" else rule.name
