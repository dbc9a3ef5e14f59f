"""`compat-guard manual`: every command with its options, exit codes and an example, as one page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from processors.cli.exit_codes import codes_of
from processors.cli.tables import paged


def manual() -> None:
    """Print every command with its options, exit codes and an example, as Markdown."""
    with paged():
        typer.echo(page(), nl=False)


def page() -> str:
    """The whole manual, made of the commands themselves."""
    from processors.cli.root import every_command  # noqa: PLC0415 - the root lists this command too

    lines = [
        "# Every command",
        "",
        "Made by `compat-guard manual`. Options that every command has: `-h`, `--help`.",
    ]
    for path, command in every_command():
        lines += ["", f"## compat-guard {path}", "", *_about(command), "", *_options(command)]
        codes = codes_of(path)
        lines += ["| exit code | means |", "|---|---|", *(f"| {code} | {means} |" for code, means in codes.items())]
    return "\n".join(lines) + "\n"


def _about(command: Any) -> list[str]:
    return [paragraph.replace("\n", " ").strip() for paragraph in (command.help or "").split("\n\n")][:1]


def _options(command: Any) -> Iterator[str]:
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    if not parameters:
        return
    yield from ("| argument or option | means |", "|---|---|")
    for parameter in parameters:
        names = ", ".join(f"`{name}`" for name in parameter.opts) if parameter.param_type_name == "option" else ""
        named = names or f"`{parameter.metavar or (parameter.name or '').upper()}`"
        needed = " (required)" if parameter.required else ""
        yield f"| {named} | {_cell(getattr(parameter, 'help', None) or '')}{needed} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
