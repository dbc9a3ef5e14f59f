"""`compat-guard manifest`: what the guard reads in a plugin's manifest, and what its vendor should fix."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.cli.formats import Prose, ProseOption, Values, ValuesOption
from processors.documents.yaml_writing import to_yaml
from processors.errors import DocumentRefused, shorten
from processors.manifests.lint import Advice, Level, lint
from processors.manifests.read import ecosystem_of, file_bytes, open_document, read_manifest
from processors.versions import Dialect

app = typer.Typer(
    add_completion=False,
    help="Manifests: lint them as a vendor's CI does, show what the guard reads.",
    no_args_is_help=True,
)


@app.command("lint")
def lint_files(
    files: Annotated[list[Path], typer.Argument(help="manifest files, such as plugin.yaml", metavar="FILE...")],
    dialect: Annotated[
        Dialect | None, typer.Option(help="language of versions and ranges; default: that of the ecosystem")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="treat warnings as errors")] = False,
    output: ProseOption = Prose.text,
) -> None:
    """Report what is missing or wrong in a manifest, and how to write it.

    Ends with 0 if there are no errors, 1 if there are, 2 if a file cannot be read at all.
    """
    codes, found = set[int](), list[tuple[Path, Advice]]()
    for file in files:
        code, advice = _linted(file, dialect, strict=strict)
        codes.add(code)
        found += ((file, item) for item in advice)
    if output is Prose.json:
        typer.echo(json.dumps([{"file": str(file), **asdict(item)} for file, item in found], indent=2))
    else:
        for file, item in found:
            typer.echo(_line(file, item))
        if not found:
            typer.echo(f"no problems in {', '.join(shorten(str(file), 256) for file in files)}")
    raise typer.Exit(max(codes))


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="manifest file, such as plugin.yaml", metavar="FILE")],
    output: ValuesOption = Values.yaml,
) -> None:
    """Show what the guard reads in a manifest, and what the manifest does not state.

    Ends with 2 if the file cannot be read at all; defects are shown, and do not count as a failure.
    """
    shown = _statements(file)
    if output is Values.json:
        typer.echo(json.dumps(shown, indent=2))
    else:
        typer.echo(to_yaml(shown), nl=False)


def _linted(file: Path, dialect: Dialect | None, *, strict: bool) -> tuple[int, tuple[Advice, ...]]:
    """The exit code for one file, and its advice. A file that cannot be read does not hide the others."""
    try:
        advice = lint(file_bytes(file), file.name, dialect)
    except DocumentRefused as refused:
        return refused.exit_code, (Advice(Level.ERROR, "", str(refused).removeprefix(f"{file}: ")),)
    if strict:
        advice = tuple(replace(item, level=Level.ERROR) for item in advice)
    return int(any(item.level is Level.ERROR for item in advice)), advice


def _line(file: Path, item: Advice) -> str:
    place = f"{item.path}: " if item.path else ""
    write = f"; write: {item.write}" if item.write else ""
    return f"{shorten(str(file), 256)}: {item.level}: {place}{item.problem}{write}"


def _statements(file: Path) -> dict[str, Any]:
    data = file_bytes(file)
    ecosystem = ecosystem_of(file.name, open_document(data, file.name))
    stated = asdict(read_manifest(data, file.name))
    lifecycle = {key: value for key, value in stated.pop("lifecycle").items() if value not in (None, "")}
    stated["lifecycle"] = lifecycle
    return {
        "ecosystem": ecosystem.name,
        "host": ecosystem.host,
        "dialect": str(ecosystem.dialect),
        **{key: value for key, value in stated.items() if value},
        "not_stated": sorted(key for key, value in stated.items() if not value and key not in ("defects", "extra")),
    }
