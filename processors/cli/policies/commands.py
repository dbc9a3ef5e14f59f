"""`compat-guard policies`: lint, publish and show security policies about components."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from processors.cli import tables, talk
from processors.cli.formats import Contents, ContentsOption, Listing, ListingOption
from processors.cli.matrix.signing import Key
from processors.client.policy_reach import unknown_to
from processors.configuration.settings import settings
from processors.documents.files import naming
from processors.documents.yaml_writing import to_yaml
from processors.errors import DocumentRefused, SettingsInvalid, shorten
from processors.matrix.lint import Notice, errors
from processors.matrix.writing import instant
from processors.policies import Policies, SecurityPolicy
from processors.policies.lint import lint as notices_of
from processors.policies.text import inspect_policies, load_policies, policy_text
from processors.policies.writing import written

app = typer.Typer(
    add_completion=False, help="Security policies: lint, publish and show them.", no_args_is_help=True
)


Component = Annotated[
    str | None,
    typer.Option("--component", help="plugin that OSV records are about; default: the packages they name"),
]


_NOBODY = (
    "no plugin of the matrix is called `{}`, so this policy binds only who states it as a component; --component "
    "names the plugin that a record is about"
)


@app.command()
def lint(
    file: Annotated[Path, typer.Argument(help="policy file or OSV records, YAML or JSON", show_default=False)],
    component: Component = None,
    output: ListingOption = Listing.table,
) -> None:
    """Check a policy without any server. Ends with 1 if something in it must not be published."""
    with naming(file):
        policies, problems = inspect_policies(policy_text(file), json=file.suffix == ".json", component=component)
    found = [Notice(p.place, p.message, is_error=True) for p in problems]
    found += [notice for policy in policies for notice in notices_of(policy, _now())]
    if output is Listing.json:
        typer.echo(json.dumps([notice._asdict() for notice in found]))
    elif found:
        rows = [("error" if n.is_error else "warning", n.where, n.message) for n in found]
        tables.show(("", "where", "what"), rows)
    else:
        typer.echo(f"no problems in the policies of {', '.join(p.component_id for p in policies)}")
    raise typer.Exit(1 if errors(found) else 0)


@app.command()
def publish(
    files: Annotated[
        list[Path],
        typer.Argument(help="policy files or OSV records, YAML or JSON", metavar="FILE...", show_default=False),
    ],
    component: Component = None,
    key: Key = None,
    output: ListingOption = Listing.table,
) -> None:
    """Put policies in force: all of them in one transaction, or none.

    A policy replaces its component's previous one, so give all records of a component at once. Ends with 2, without
    writing anything, if one of them must not be published; with 3 if a server does not answer.
    """
    policies = _sound(load_policies(files, component))
    from processors.client.matrix_topic import read_matrix  # noqa: PLC0415 - lint needs no client library
    from processors.client.policy_topic import publish_policies  # noqa: PLC0415

    for name in unknown_to(read_matrix(settings())[0].snapshot(), policies):
        talk().print(Text(f"warning: {_NOBODY.format(name)}", style="bold yellow"))
    done = publish_policies(settings(), policies, _now(), key=key)
    for notice in (notice for policy in policies for notice in notices_of(policy, _now())):
        talk().print(Text(f"warning: {notice.where}: {notice.message}", style="yellow"))
    for one in done:
        if one.dropped:
            what = f"{one.policy.component_id} no longer has {', '.join(one.dropped)}"
            talk().print(Text(what, style="yellow"))
    rows = [_summary(one.policy) | {"state": "published" if one.is_changed else "unchanged"} for one in done]
    _show_rows(rows, output)


@app.command()
def show(
    component: Annotated[str | None, typer.Argument(help="one component, whole; default: all, a line each")] = None,
    output: ContentsOption = Contents.table,
) -> None:
    """Show the policies in force. A policy as YAML or JSON can be published again unchanged."""
    policies = _in_force()
    chosen = [_one(policies, component)] if component else [*_sorted(policies)]
    if output is Contents.json:
        values = [written(policy) for policy in chosen]
        typer.echo(json.dumps(values[0] if component else values, ensure_ascii=False))
    elif output is Contents.yaml:
        texts = [to_yaml(written(policy)) for policy in chosen]
        typer.echo(texts[0] if component else "".join(map(_item, texts)), nl=False)
    elif component:
        _show_policy(chosen[0])
    else:
        _show_rows([_summary(policy) for policy in chosen], Listing.table)


@app.command("list")
def show_all(output: ListingOption = Listing.table) -> None:
    """List the policies in force, a line each."""
    _show_rows([_summary(policy) for policy in _sorted(_in_force())], output)


@app.command()
def withdraw(
    component: Annotated[str, typer.Argument(help="component whose policy is to go", show_default=False)],
    key: Key = None,
) -> None:
    """Withdraw a component's policy. To end one advisory, publish it with `withdrawn_at`."""
    from processors.client.policy_topic import withdraw_policy  # noqa: PLC0415 - lint needs no client library

    _one(_in_force(), component)
    withdraw_policy(settings(), component, _now(), key=key)
    typer.echo(f"{component} has no policy any more")


def _sound(policies: Sequence[SecurityPolicy]) -> Sequence[SecurityPolicy]:
    if found := errors(notice for policy in policies for notice in notices_of(policy, _now())):
        raise DocumentRefused("", "\n".join(f"{notice.where}: {notice.message}" for notice in found))
    return policies


def _in_force() -> Policies:
    from processors.client.policy_topic import read_policies  # noqa: PLC0415 - lint needs no client library

    policies, rejects = read_policies(settings())
    for reject in rejects:
        talk().print(Text(f"a record of the topic is refused: {reject.message}"))
    return policies


def _one(policies: Policies, component: str) -> SecurityPolicy:
    policy = policies.about(component)
    if policy is None:
        raise SettingsInvalid(
            f"there is no policy of `{shorten(component)}`; `compat-guard policies list` shows all"
        )
    return policy


def _sorted(policies: Policies) -> Iterable[SecurityPolicy]:
    return (policy for _, policy in sorted(policies.by_component.items()))


def _summary(policy: SecurityPolicy) -> dict[str, str | int]:
    return {
        "component": policy.component_id,
        "policy": policy.policy_id,
        "baseline": policy.required_baseline,
        "advisories": len(policy.advisories),
        "published_at": instant(policy.published_at),
        "valid_until": _end(policy.valid_until),
        "digest": policy.digest,
    }


def _show_policy(policy: SecurityPolicy) -> None:
    tables.show(("", ""), [(name, str(value)) for name, value in _summary(policy).items()])
    rows = [
        (
            a.id,
            a.severity or "not known",
            " || ".join(a.affected),
            ", ".join(a.fixed),
            _end(a.withdrawn_at),
            a.summary,
        )
        for a in policy.advisories
    ]
    tables.show(("advisory", "severity", f"affected ({policy.dialect})", "fixed", "withdrawn", "summary"), rows)


def _end(at: int | None) -> str:
    return "" if at is None else instant(at)


def _item(text: str) -> str:
    """A mapping in YAML as an item of a list."""
    return "- " + text.rstrip("\n").replace("\n", "\n  ") + "\n"


def _show_rows(rows: Sequence[dict[str, str | int]], output: Listing) -> None:
    if output is Listing.json:
        typer.echo(json.dumps(rows))
    elif rows:
        tables.show(tuple(rows[0]), [[str(value) for value in row.values()] for row in rows])
    else:
        typer.echo("no component has a policy")


def _now() -> int:
    return time.time_ns() // 1_000_000
