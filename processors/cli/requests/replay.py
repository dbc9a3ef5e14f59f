"""`compat-guard replay`: what an unpublished matrix would change about the requests of the last days."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from processors.bootstrap.clients import codec
from processors.checker.impact import Change, Impact
from processors.cli import talk
from processors.cli.formats import Listing, ListingOption
from processors.client.impact import Replayed, replayed
from processors.client.matrices import load_sources
from processors.configuration.settings import Settings, settings
from processors.errors import SettingsInvalid
from processors.events.report import Finding
from processors.matrix.document import MatrixDocument
from processors.matrix.reading import Reading
from processors.matrix.writing import instant


def replay(
    matrix: Annotated[
        list[Path],
        typer.Option(
            "--matrix", help="matrix that is not published yet; repeatable, one source each", show_default=False
        ),
    ],
    since: Annotated[str, typer.Option("--since", help="how far to look back, such as 12h or 30d")] = "7d",
    output: ListingOption = Listing.table,
) -> None:
    """Evaluate the requests of the last days again, with an unpublished matrix, and show what changes.

    Both answers are computed now: one with the matrix in effect, one with these sources in place of their present
    content. Nothing is published, and nobody is notified. Ends with 0, whatever changes.
    """
    found = measure(settings(), load_sources(matrix), since)
    if output is Listing.json:
        typer.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        show(found, Console(emoji=False))


def measure(of: Settings, documents: Iterable[MatrixDocument], since: str) -> Replayed:
    """Replay the requests of that period. Prints its progress on stderr; raises SettingsInvalid for the time."""
    now = time.time_ns() // 1_000_000
    start = now - _duration(since)
    with codec(of) as events, talk().status("reading requests") as status:
        return replayed(
            of, events, documents, start, until=now, tell=lambda impact: status.update(_progress(impact))
        )


def show(replayed: Replayed, console: Console) -> None:
    """A paragraph for each change, and a line of figures after them."""
    impact = replayed.impact
    changes = impact.changes()
    if changes:
        console.print(Text("\n\n".join(map(_told, changes)) + "\n"), soft_wrap=True)
    counts = ", ".join(f"{n} from {b} to {a}" for (b, a), n in impact.counts().items())
    console.print(
        f"{impact.subjects} different questions in {impact.requests} requests since {instant(replayed.since)}: "
        f"{counts or 'no verdict'} would change",
        highlight=False,
        soft_wrap=True,
    )
    if not impact.requests:
        console.print("so nothing was measured; choose a longer --since", style="yellow")
    if impact.unreadable:
        console.print(
            f"{impact.unreadable} requests cannot be read, and are among the dead letters", soft_wrap=True
        )
    if not impact.is_complete:
        console.print(f"{impact.left_out} requests were left out; choose a shorter --since", style="yellow")


def as_json(replayed: Replayed) -> dict[str, Any]:
    impact = replayed.impact
    return {
        "since": instant(replayed.since),
        "before": replayed.before.digest,
        "after": replayed.after.digest,
        "requests": impact.requests,
        "subjects": impact.subjects,
        "unreadable": impact.unreadable,
        "left_out": impact.left_out,
        "counts": [{"before": b, "after": a, "subjects": n} for (b, a), n in impact.counts().items()],
        "changes": [
            {
                **change.place._asdict(),
                "subjects": change.subjects,
                "requests": change.requests,
                "example": change.example,
                "finding": finding_json(change.finding) if change.finding else None,
            }
            for change in impact.changes()
        ],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding in a few words."""
    return {"id": finding.id, "code": finding.code, "effect": finding.effect, "sentence": finding.sentence}


def _progress(impact: Impact) -> str:
    changed = sum(change.subjects for change in impact.changes())
    return f"{impact.requests} requests, {impact.subjects} different questions, {changed} would change"


def _told(change: Change) -> str:
    place, finding = change.place, change.finding
    asked = f"{_many(change.subjects, 'question')} in {_many(change.requests, 'request')}"
    what = f"{place.plugin_id} {place.plugin_version} on {place.host} {place.host_version}"
    head = f"{what}: {place.before} to {place.after} ({asked}, such as {change.example})"
    return f"{head}\n  {finding.sentence} [{finding.code}]" if finding else head


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _duration(text: str) -> int:
    reading = Reading()
    milliseconds = reading.duration(text, ("--since",))
    if milliseconds is None:
        raise SettingsInvalid(str(reading.problems[0]))
    return milliseconds
