"""`compat-guard watch` and `compat-guard report`: results as they arrive, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from processors.cli import talk
from processors.cli.formats import Prose, ProseOption
from processors.cli.gateway_option import GatewayOption
from processors.cli.requests.answers import Output, Style, WhichQuestion, exit_code, known_of, show, with_times
from processors.cli.requests.lines import heading, line, require_known, row
from processors.cli.requests.pages import ToFile
from processors.cli.tables import Asked, clock
from processors.client.connecting import connected
from processors.client.known_questions import KnownQuestions
from processors.configuration.settings import settings
from processors.events.results import Result
from processors.events.vocabulary import Verdict

OnlyVerdict = Annotated[Verdict | None, typer.Option("--verdict", help="show only results with this verdict")]
FromBeginning = Annotated[
    bool, typer.Option("--from-beginning", help="begin with all stored results, the oldest first")
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", help="columns of a line, such as time,verdict,plugin,operator", metavar="NAME,..."),
]
Count = Annotated[
    int, typer.Option("--count", "-n", help="stop after so many results; 0 goes on until Ctrl-C", min=0)
]


def watch(
    verdict: OnlyVerdict = None,
    from_beginning: FromBeginning = False,
    count: Count = 0,
    columns: Columns = None,
    output: ProseOption = Prose.text,
    gateway: GatewayOption = None,
) -> None:
    """Follow results live, a line each with its time (UTC), until Ctrl-C."""
    console, known, chosen = Console(emoji=False), KnownQuestions(), Asked.of(columns, wide=False).columns
    require_known(chosen)
    if chosen and output is Prose.text:
        console.print(heading(chosen), soft_wrap=True)
    shown = 0
    with connected(settings(), gateway) as guard:
        for at, result in guard.results(from_beginning=from_beginning, tell=_told):
            if verdict is None or result.record["verdict"] == verdict:
                _show_line(console, at, result, output, chosen, other=known.is_another(result))
                shown += 1
                if shown == count:
                    return


def _told(what: str) -> None:
    talk().print(what, style="dim", highlight=False, soft_wrap=True)


def report(
    request_id: Annotated[str, typer.Argument(help="request whose report to show")],
    output: Output = Style.text,
    file: ToFile = None,
    question: WhichQuestion = None,
    gateway: GatewayOption = None,
) -> None:
    """Show the newest report of a request, or download it.

    Ends like `check`: 1 if it was blocked, 2 if several questions were asked under the id.
    """
    with connected(settings(), gateway) as guard:
        result = guard.result(request_id, question)
    show(result.report, result.report_digest, output, file, request_id, result.verdict, known=known_of(result))
    raise typer.Exit(exit_code(result.verdict))


def _show_line(
    console: Console, at: int, result: Result, style: Prose, columns: Sequence[str], *, other: bool
) -> None:
    """`other` says that another question was answered under this id before."""
    if style is Prose.json:
        typer.echo(json.dumps({**with_times(result), "id_conflict": other}, ensure_ascii=False))
        return
    told = row(at, result, columns) if columns else Text(f"{clock(at)} ", style="dim") + line(result)
    if other:
        told.append("  ANOTHER QUESTION UNDER THIS ID WAS ANSWERED BEFORE", style="bold red")
    console.print(told, soft_wrap=True)
