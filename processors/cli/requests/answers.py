"""Shows a report, and converts its verdict to an exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from processors.checker.views import text
from processors.cli.requests.pages import Paper, put
from processors.configuration.settings import settings
from processors.events.report import Report
from processors.events.report_record import report_to_record
from processors.events.vocabulary import Verdict
from processors.matrix.writing import instant

if TYPE_CHECKING:  # an offline check has none
    from processors.events.results import Result

EXIT_CODES: Final[Mapping[Verdict, int]] = {Verdict.ALLOW: 0, Verdict.WARN: 0, Verdict.ALLOW_BY_EXCEPTION: 0}
BLOCKED: Final = 1

KNOWN: Final = (
    *("request_id", "result_id", "exception_id", "approval_id", "decided_at", "plugin_name", "matrix_expires_at"),
    *("exception_possible", "report_url"),
)
"""Fields that the JSON view has beside the report, with the decided verdict: an exception can change it."""

TIMES: Final = ("decided_at", "matrix_expires_at")
"""Fields of a result that are times."""


class Style(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"
    sarif = "sarif"
    junit = "junit"


Output = Annotated[Style, typer.Option("--output", "-o", help="how to show the report")]

WhichQuestion = Annotated[
    str | None, typer.Option("--question", help="which question is meant, if several were asked under the id")
]


def with_times(result: Result) -> dict[str, Any]:
    """A result as JSON: times in the format of the command line."""
    record = result.record
    return {**record, **{name: instant(record[name]) for name in TIMES if record.get(name) is not None}}


def known_of(result: Result) -> dict[str, Any]:
    """What is known of a result beside its report; an older gateway knows less."""
    return {name: with_times(result).get(name) for name in KNOWN} | {"decided": result.verdict}


def exit_code(verdict: Verdict) -> int:
    """0 if the installation may go on, 1 for everything else: a missing verdict is a block too."""
    return EXIT_CODES.get(verdict, BLOCKED)


def show(
    report: Report,
    digest: str,
    style: Style,
    file: Path | None = None,
    request_id: str | None = None,
    decided: Verdict | None = None,
    artifact: str | None = None,
    matrices: Sequence[str] = (),
    known: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write the report in the given style to stdout, or to a file.

    `decided` is the verdict of the result, if an exception changed it; the JSON view has the report unchanged.
    `artifact` is the manifest's path, beside which code review shows the findings; `matrices` are the files that an
    offline check used. `known` is added to the report in the JSON view: the ids of request and result, and the
    effect of an exception.
    """
    seen = report if decided is None or style is Style.json else replace(report, verdict=decided)
    put(_rendered(seen, digest, style, request_id, artifact, matrices, known, Paper.of(file)), file)


def as_json(report: Report, digest: str, known: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The report's record with its digest, the same for the same report everywhere, and what else is known."""
    record: dict[str, Any] = {**report_to_record(report), "report_digest": digest, **known}
    return json.dumps(record, indent=2, ensure_ascii=False)


def _rendered(
    report: Report,
    digest: str,
    style: Style,
    request_id: str | None,
    artifact: str | None,
    matrices: Sequence[str],
    known: Mapping[str, Any],
    paper: Paper,
) -> str:
    explained_at = settings().gateway.url
    match style:
        case Style.json:
            return as_json(report, digest, {**known, "matrix_files": list(matrices)} if matrices else known)
        case Style.markdown:
            from processors.checker.views import markdown  # noqa: PLC0415 - most want text, and wait for no other view

            return markdown.render(report, request_id, matrices, explained_at)
        case Style.html:
            from processors.checker.views import html  # noqa: PLC0415

            return html.render(report, digest, request_id, matrices, explained_at)
        case Style.sarif:
            from processors.checker.views import sarif  # noqa: PLC0415

            return sarif.render(report, digest, artifact, matrices, explained_at)
        case Style.junit:
            from processors.checker.views import junit  # noqa: PLC0415

            return junit.render(report, digest, matrices)
        case Style.text:
            return text.render(
                report,
                request_id,
                colour=paper.colour,
                width=paper.width,
                matrices=matrices,
                explained_at=explained_at,
            )
