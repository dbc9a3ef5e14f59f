"""The table of contents of the command line: every command and group, by name.

A command is imported when it is asked for, so that an offline check does not wait for the ledger's database layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

import processors

COMMANDS: Final[Mapping[str, str]] = {
    "check": "processors.cli.requests.check:check",
    "request": "processors.cli.requests.request:request",
    "recheck": "processors.cli.requests.recheck:recheck",
    "replay": "processors.cli.requests.replay:replay",
    "report": "processors.cli.requests.watch:report",
    "explain": "processors.cli.requests.explain:explain",
    "accuracy": "processors.cli.operations.accuracy:accuracy",
    "watch": "processors.cli.requests.watch:watch",
    "exception": "processors.cli.exceptions.commands:app",
    "approve": "processors.cli.exceptions.approve:approve",
    "deny": "processors.cli.exceptions.approve:deny",
    "matrix": "processors.cli.matrix.commands:app",
    "policies": "processors.cli.policies.commands:app",
    "manifest": "processors.cli.manifests.commands:app",
    "satisfies": "processors.cli.manifests.satisfies:satisfies",
    "ledger": "processors.cli.ledger.commands:app",
    "dead-letters": "processors.cli.operations.dead_letters:app",
    "topics": "processors.cli.operations.topics:app",
    "config": "processors.cli.operations.config:app",
    "run": "processors.cli.operations.run:run",
    "seals": "processors.cli.operations.seals:app",
    "stack": "processors.cli.operations.stack:app",
    "demo": "processors.cli.demo.commands:demo",
}
"""Where each command is: a module, and in it a function or a group (`app`)."""


class _Commands(TyperGroup):
    """Reads the table instead of holding commands."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Typer suggests the nearest of the commands it holds."""
        self.commands = dict.fromkeys(COMMANDS)  # pyright: ignore[reportAttributeAccessIssue] - names are enough
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:
    """The command of that name, imported now."""
    module, _, attribute = COMMANDS[name].partition(":")
    found: typer.Typer | Callable[..., Any] = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)  # a command would offer to complete itself, as the root does
    else:
        command = typer.main.get_command(_alone(found))
    command.name = name
    return command


def _alone(function: Callable[..., Any]) -> typer.Typer:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
    alone.command()(function)
    return alone


app = typer.Typer(
    name="compat-guard",
    cls=_Commands,
    help="Decides before a plugin is installed whether it fits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"compat-guard {processors.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Decides before a plugin is installed whether it fits."""
