"""`compat-guard replay`: what a matrix would change about the requests of the last days, before it is published."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from processors.bootstrap.clients import codec, stream_settings
from processors.checker.check import check
from processors.checker.impact import Change, Impact
from processors.cli import talk
from processors.cli.formats import Listing, ListingOption
from processors.client.matrices import load_sources
from processors.client.matrix_topic import read_matrix
from processors.client.policy_topic import read_policies
from processors.configuration.settings import Settings, settings
from processors.documents.canonical import digest_of
from processors.errors import EventUnreadable, SettingsInvalid
from processors.events.report import Finding, Report
from processors.events.subject_record import subject_from_record
from processors.events.topics import INSTALL_REQUESTS
from processors.matrix.document import MatrixDocument
from processors.matrix.merged import Matrix
from processors.matrix.reading import Reading
from processors.matrix.writing import instant
from processors.policies import Policies
from processors.stream.io.follow import Follower
from processors.stream.wire.codec import Decoder

_TOLD_EVERY: Final = 500
"""Requests between two signs of progress."""


class Replayed(NamedTuple):
    """An impact, and what it was measured on. `since` is milliseconds since the epoch, UTC."""

    impact: Impact
    before: Matrix
    after: Matrix
    since: int


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
    """Ask the requests of the last days again, with a matrix that is not published yet, and show what changes.

    Both answers are worked out now: one with the matrix in effect, one with these sources in the place of what they
    state today. Nothing is published, and nobody is told. Ends with 0, whatever changes.
    """
    replayed = measure(settings(), load_sources(matrix), since)
    if output is Listing.json:
        typer.echo(json.dumps(as_json(replayed), ensure_ascii=False))
    else:
        show(replayed, Console())


def measure(of: Settings, documents: Iterable[MatrixDocument], since: str) -> Replayed:
    """Replay the requests since so long ago. Tells its progress on stderr; raises SettingsInvalid for the time."""
    now = time.time_ns() // 1_000_000
    start = now - _duration(since)
    before = read_matrix(of)[0].snapshot()
    after = before
    for document in documents:
        after = after.add(document, now, now + document.expires_after)
    policies, _ = read_policies(of)
    with codec(of) as events, talk().status("reading requests") as status:
        decode = events.decoder(INSTALL_REQUESTS, "InstallRequested")
        impact = Impact(_judge(decode.tail, (before, after), policies, now))
        _read(of, decode, start, impact, status.update)
    return Replayed(impact, before, after, start)


def show(replayed: Replayed, console: Console) -> None:
    """A paragraph for each change, and a line of figures under them."""
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
    """A finding in few words."""
    return {"id": finding.id, "code": finding.code, "effect": finding.effect, "sentence": finding.sentence}


def _read(of: Settings, decode: Decoder, since: int, impact: Impact, tell: Callable[[str], None]) -> None:
    with closing(Follower(stream_settings(of), "replay")) as follower:
        follower.from_time([INSTALL_REQUESTS], since)
        for record in follower.read():
            try:
                request, subject = decode.split(record.value)
            except EventUnreadable:
                impact.unreadable += 1
                continue
            key = hashlib.blake2b(subject, digest_size=16).digest()
            impact.take(key, subject, request["request_id"], record.timestamp)
            if impact.requests % _TOLD_EVERY == 0:
                changed = sum(change.subjects for change in impact.changes())
                tell(f"{impact.requests} requests, {impact.subjects} different questions, {changed} would change")


def _judge(
    decode: Callable[[bytes], Mapping[str, Any]], matrices: tuple[Matrix, Matrix], policies: Policies, now: int
) -> Callable[[bytes], tuple[Report, Report]]:
    """Both answers to a subject, at one instant and under the same policies, so that only the matrix differs."""
    before, after = matrices

    def judge(subject: bytes) -> tuple[Report, Report]:
        question, digest = subject_from_record(decode(subject)), digest_of(subject)
        return (
            check(question, before, now, digest, policies).report,
            check(question, after, now, digest, policies).report,
        )

    return judge


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
