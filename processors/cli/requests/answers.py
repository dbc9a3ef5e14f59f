"""Showing a report, and what its verdict means for a script."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from processors.checker.views import html, junit, markdown, sarif, text
from processors.errors import SettingsInvalid
from processors.events.report import Report
from processors.events.report_record import report_to_record
from processors.events.vocabulary import Verdict

EXIT_CODES: Final[Mapping[Verdict, int]] = {Verdict.ALLOW: 0, Verdict.WARN: 0, Verdict.ALLOW_BY_EXCEPTION: 0}
BLOCKED: Final = 1


class Style(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"
    sarif = "sarif"
    junit = "junit"


Output = Annotated[Style, typer.Option("--output", "-o", help="how to show the report")]
ToFile = Annotated[Path | None, typer.Option("--file", "-f", help="write the report here instead of stdout")]

WhichQuestion = Annotated[
    str | None, typer.Option("--question", help="which one is meant, where several were asked under the id")
]


def exit_code(verdict: Verdict) -> int:
    """0 for what may go on, 1 for everything else: no verdict is a block too."""
    return EXIT_CODES.get(verdict, BLOCKED)


def show(
    report: Report,
    digest: str,
    style: Style,
    file: Path | None = None,
    request_id: str | None = None,
    decided: Verdict | None = None,
    artifact: str | None = None,
) -> None:
    """Write the report in the given style to stdout, or to a file.

    `decided` is the verdict of the result where an exception made it another than the report's; the JSON view is
    the report as it is. `artifact` is the manifest's path, beside which code review shows the findings.
    """
    seen = report if decided is None or style is Style.json else replace(report, verdict=decided)
    rendered = _rendered(seen, digest, style, request_id, artifact, tty=file is None and sys.stdout.isatty())
    if file is None:
        typer.echo(rendered)
        return
    try:
        file.write_text(rendered + "\n", "utf-8")
    except OSError as error:
        raise SettingsInvalid(f"--file `{file}` cannot be written: {error.strerror}") from None


def as_json(report: Report, digest: str) -> str:
    """The report's record with its digest: the same text for the same report, wherever it was made."""
    record: dict[str, Any] = {**report_to_record(report), "report_digest": digest}
    return json.dumps(record, indent=2, ensure_ascii=False)


def _rendered(
    report: Report, digest: str, style: Style, request_id: str | None, artifact: str | None, *, tty: bool
) -> str:
    match style:
        case Style.json:
            return as_json(report, digest)
        case Style.markdown:
            return markdown.render(report, request_id)
        case Style.html:
            return html.render(report, digest, request_id)
        case Style.sarif:
            return sarif.render(report, digest, artifact)
        case Style.junit:
            return junit.render(report, digest)
        case Style.text:
            narrow = tty or "COLUMNS" in os.environ
            width = min(text.WIDTH, shutil.get_terminal_size().columns - 2) if narrow else text.WIDTH
            coloured = tty and not os.environ.get("NO_COLOR")
            return text.render(report, request_id, colour=coloured, width=width)
