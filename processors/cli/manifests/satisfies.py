"""`compat-guard satisfies`: does a version satisfy a range, by the rules of its dialect."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, NoReturn, cast

import typer
from rich.markup import escape

from processors import versions
from processors.errors import Refused
from processors.versions import EXAMPLES, Dialect, Range, Version, parse_range, parse_version

_FIELDS: Final = ("dialect", "range", "version")
_EXAMPLES: Final = escape(", ".join(f"{dialect} `{example}`" for dialect, example in EXAMPLES.items()))


def satisfies(
    range_text: Annotated[str | None, typer.Argument(metavar="RANGE", help="such as '>=1.8.0 <2.0.0'")] = None,
    version_text: Annotated[str | None, typer.Argument(metavar="VERSION", help="such as 1.9.0")] = None,
    dialect: Annotated[
        Dialect, typer.Option(help=f"language of range and version; ranges: {_EXAMPLES}")
    ] = Dialect.NPM,
    stdin: Annotated[bool, typer.Option("--stdin", help="answer JSON Lines from stdin, line by line")] = False,
) -> None:
    """Say whether VERSION satisfies RANGE, and if not, what it needs.

    Ends with 0 for yes, 1 for no, 2 if either cannot be read. With --stdin each line is an object with `range`,
    `version` and, unless --dialect says it for all, `dialect`; it comes back with `satisfies` (true, false, or
    null where something cannot be read) and `error`. Then it ends with 0 when every line was answered, also with
    false or null.
    """
    if stdin:
        if range_text is not None:
            raise typer.BadParameter("give RANGE and VERSION, or --stdin, not both")
        for answer in answers(sys.stdin.buffer, dialect):
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()  # a caller may keep the pipe open and wait for each answer
        return
    if range_text is None or version_text is None:
        raise typer.BadParameter("expected RANGE and VERSION, or --stdin")
    demand, version = parse_range(range_text, dialect), parse_version(version_text, dialect)
    typer.echo(sentence(demand, version))
    raise typer.Exit(0 if demand.admits(version) else 1)


def sentence(demand: Range, version: Version) -> str:
    """The verdict with its reason."""
    shown = demand.text or "an empty range"
    if demand.admits(version):
        return f"{version} satisfies {shown}"
    also = ", and no pre-release counts" if demand.excludes_only_as_prerelease(version) else ""
    return f"{version} does not satisfy {shown}: it needs {demand.explain()}{also}"


def answers(lines: Iterable[bytes], dialect: Dialect = Dialect.NPM) -> Iterator[str]:
    """One line of JSON for each line, in order. An invalid line does not stop the others."""
    for line in lines:
        yield _ENCODE(_answer(line, dialect))


def _answer(line: bytes, dialect: Dialect) -> dict[str, Any]:
    try:
        found: Any = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return {"satisfies": None, "error": "expected a JSON object"}
    if not isinstance(found, dict):
        return {"satisfies": None, "error": "expected a JSON object"}
    row = {"dialect": dialect.value, **cast("dict[str, Any]", found)}
    return row | _verdict(row)


def _verdict(row: dict[str, Any]) -> dict[str, Any]:
    missing = [field for field in _FIELDS if not isinstance(row.get(field), str)]
    if missing:
        return {"satisfies": None, "error": f"expected text in `{missing[0]}`"}
    if row["dialect"] not in _DIALECTS:
        return {"satisfies": None, "error": f"unknown dialect; use one of {', '.join(Dialect)}"}
    try:
        verdict = versions.satisfies(row["range"], row["version"], Dialect(row["dialect"]))
    except Refused as error:
        return {"satisfies": None, "error": str(error)}
    return {"satisfies": verdict, "error": None}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DIALECTS: Final = frozenset(dialect.value for dialect in Dialect)
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode
