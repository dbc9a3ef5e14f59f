"""The table of contents of the command line: every command and group, by name.

A command is imported when it is asked for, so that an offline check does not wait for the ledger's database layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperGroup

import processors
from processors.cli import settle
from processors.cli.examples import EXAMPLES
from processors.cli.exit_codes import in_help

ASK, EXCEPT = "Ask", "Exceptions"
KNOW, OPERATE, TRY = "What the guard knows", "Operate", "Try it"


class Entry(NamedTuple):
    """The module of a command in this package, its function or group, its heading, and its description."""

    target: str
    heading: str
    help: str


_DEMO: Final[Mapping[str, Entry]] = (
    {
        "demo": Entry(
            "demo.commands:demo", TRY, "Start everything on this machine, and play the guard's main use cases."
        )
    }
    if Path(__file__).with_name("demo").is_dir()
    else {}
)
"""Part of a checkout, and not of the wheel."""

_HELP: Final = {"-h", "--help"}

COMMANDS: Final[Mapping[str, Entry]] = {
    "check": Entry("requests.check:check", ASK, "Check whether a plugin may be installed, without a broker."),
    "plan": Entry(
        "requests.plan:plan", ASK, "Plan a host upgrade that keeps every plugin working, or show what prevents it."
    ),
    "request": Entry("requests.request:request", ASK, "Ask the running guard, and wait for its verdict."),
    "report": Entry("requests.watch:report", ASK, "Show the report of a request again."),
    "watch": Entry("requests.watch:watch", ASK, "Follow results as they come."),
    "recheck": Entry("requests.recheck:recheck", ASK, "Ask an earlier question again, and show what has changed."),
    "replay": Entry(
        "requests.replay:replay",
        ASK,
        "See what a matrix would change about the last requests, before it is published.",
    ),
    "explain": Entry("requests.explain:explain", ASK, "Explain a finding, and what to do about it."),
    "manual": Entry("manual:manual", ASK, "Print every command with its options, exit codes and an example."),
    "schema": Entry("schema:schema", ASK, "Print the JSON Schema of a command's output."),
    "exception": Entry(
        "exceptions.commands:app",
        EXCEPT,
        "Request, show, change and end exceptions.",
    ),
    "approve": Entry("exceptions.approve:approve", EXCEPT, "Approve the current step of an exception."),
    "deny": Entry("exceptions.approve:deny", EXCEPT, "Deny an exception, which ends it."),
    "matrix": Entry(
        "matrix.commands:app",
        KNOW,
        "The compatibility matrix: lint, publish, sync, show and query it.",
    ),
    "policies": Entry("policies.commands:app", KNOW, "Security policies: lint, publish, show them."),
    "manifest": Entry(
        "manifests.commands:app",
        KNOW,
        "Manifests: lint them as a vendor's CI does, show what the guard reads.",
    ),
    "satisfies": Entry("manifests.satisfies:satisfies", KNOW, "Check whether a version satisfies a range."),
    "accuracy": Entry(
        "operations.accuracy:accuracy",
        KNOW,
        "Measure how often the engine is right on labelled questions.",
    ),
    "ledger": Entry("ledger.commands:app", OPERATE, "Search, verify and maintain the ledger."),
    "dead-letters": Entry(
        "operations.dead_letters:app",
        OPERATE,
        "Records that could not be processed: show and replay them.",
    ),
    "deliveries": Entry(
        "operations.deliveries:app",
        OPERATE,
        "Pending deliveries of the relay: show and retry them.",
    ),
    "topics": Entry(
        "operations.topics:app",
        OPERATE,
        "Topics and schemas: compare them with a cluster, apply them.",
    ),
    "acls": Entry("operations.acls:app", OPERATE, "Access rules for the broker: compare and apply them."),
    "config": Entry("operations.config:app", OPERATE, "Show the settings, check the configuration files."),
    "gateway": Entry("operations.gateway:app", OPERATE, "The gateway's keys, and the HTTP contract."),
    "doctor": Entry("operations.doctor:doctor", OPERATE, "Check this installation, with advice for each problem."),
    "run": Entry("operations.run:run", OPERATE, "Run processors until SIGTERM or Ctrl-C."),
    "seals": Entry("operations.seals:app", OPERATE, "Make and rotate the key that seals internal records."),
    "stack": Entry("operations.stack:app", TRY, "Run Kafka, a schema registry and Postgres on this machine."),
    **_DEMO,
}


class _Commands(TyperGroup):
    """Looks commands up in the table instead of holding them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """What the listing needs to know of a command; it is loaded when it is run."""
        entry = COMMANDS.get(cmd_name)
        return entry and TyperCommand(cmd_name, help=entry.help, rich_help_panel=entry.heading)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        from processors.cli.listing import print_help  # noqa: PLC0415 - only for those who ask

        headings = groupby(COMMANDS.items(), lambda named: named[1].heading)
        print_help(self, ctx, [(title, [(name, of.help) for name, of in rows]) for title, rows in headings])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Typer suggests the nearest of its commands."""
        self.commands = dict.fromkeys(COMMANDS)  # pyright: ignore[reportAttributeAccessIssue] - names are enough
        name, command, rest = super().resolve_command(ctx, args)
        loaded = command and load(cast(str, name))
        if loaded and (not rest or not _HELP.isdisjoint(rest)):
            complete_help(loaded)
        settle()
        return name, loaded, rest


def load(name: str) -> Any:
    """The command of that name, imported now."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    found: typer.Typer | Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(
            found
        )  # otherwise a command would offer completion for itself, as the root does
    else:
        command = typer.main.get_command(_alone(found))
    command.name = name
    return command


def complete_help(command: Any) -> None:
    """Complete the help of a command and its subcommands: paragraphs, an example and exit codes."""
    for path, one in _commands_of(command.name, command):
        _complete(path, one)


def every_command() -> Iterator[tuple[str, Any]]:
    """Every executable command, by its path such as `matrix publish`.

    The demo is not in the wheel, and not in the manual.
    """
    for name in COMMANDS:
        if name != "demo":
            command = load(name)
            complete_help(command)
            yield from _commands_of(name, command)


def _commands_of(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner:
        yield path, command
    for name, one in inner.items():
        yield from _commands_of(f"{path} {name}", one)


def _complete(path: str, command: Any) -> None:
    """Paragraphs, an example, the exit codes, and a readable type for lists of files."""
    from rich.markup import escape  # noqa: PLC0415 - only for those who read help

    command.help = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    example = f"Example: compat-guard {path} {EXAMPLES[path]}".rstrip() + "\n\n" if path in EXAMPLES else ""
    command.epilog = escape(example + in_help(path))
    for parameter in command.params:
        kind = parameter.bare_type()
        if kind.startswith("list["):
            parameter.display_type_rich = _type_of_each(kind)


def _type_of_each(kind: str) -> Callable[..., str]:
    """The Python type of a list means nothing to users."""

    def shown(ctx: Any) -> str:  # noqa: ARG001 - typer's signature
        return f"<{kind.removeprefix('list[').removesuffix(']').lower()}>..."

    return shown


def _alone(function: Callable[..., Any]) -> typer.Typer:
    alone = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    alone.command()(function)
    return alone


app = typer.Typer(
    name="compat-guard",
    cls=_Commands,
    help="Decides whether a plugin fits before it is installed.",
    context_settings={"help_option_names": ["-h", "--help"]},
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
    """Decides whether a plugin fits before it is installed."""
