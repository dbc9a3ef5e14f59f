"""`compat-guard ledger`: search the ledger, and verify it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from rich.progress import Progress
from sqlalchemy import Connection

from processors.bootstrap.ledger import identify
from processors.bootstrap.ledger_access import database, names_of, public_keys, published_anchors
from processors.cli import tables, talk
from processors.cli.completion import bands, finding_codes
from processors.cli.formats import Stream, StreamOption
from processors.cli.ledger.output import Since, Until, instant, show
from processors.cli.tables import clock
from processors.configuration.settings import settings
from processors.documents.files import naming
from processors.errors import DocumentRefused, SettingsInvalid, nearest, shorten
from processors.events.vocabulary import Band, Code, Verdict
from processors.ledger import origins, queries
from processors.ledger.anchors import NOWHERE, Noted
from processors.ledger.database import reading
from processors.ledger.export import Format, export
from processors.ledger.happening import happening, short
from processors.ledger.numbering import is_late, of_life
from processors.ledger.proof import LARGEST_PROOF, check, read_proof
from processors.ledger.queries import RecordPosition, Wanted, place_of
from processors.ledger.reading import Window, prove_event
from processors.ledger.telling import tell
from processors.ledger.verify import Inconsistency, Kind
from processors.ledger.whole import verify_all
from processors.matrix.writing import instant as instant_of

app = typer.Typer(
    add_completion=False,
    name="ledger",
    help="Search, verify and maintain the ledger.",
    no_args_is_help=True,
)

Keys = Annotated[Path | None, typer.Option("--keys", help="JWKS of the anchors; by default the ledger's own keys")]

SHORT = ("time", "who", "event", "outcome", "event_id")
WIDE = (
    "time",
    "who",
    "event",
    "outcome",
    "reason",
    "plugin",
    "host",
    "band",
    "request_id",
    "exception_id",
    "event_id",
)


@app.command("search")
def search(
    plugin: Annotated[str | None, typer.Option(help="plugin id")] = None,
    plugin_version: Annotated[str | None, typer.Option(help="version of the plugin")] = None,
    host_version: Annotated[str | None, typer.Option(help="version of the host")] = None,
    approver: Annotated[str | None, typer.Option(help="who approved: a name or its pseudonym")] = None,
    approval_id: Annotated[str | None, typer.Option(help="approval id")] = None,
    exception: Annotated[str | None, typer.Option(help="exception id")] = None,
    finding: Annotated[
        str | None, typer.Option(help="finding code, such as HOST_TOO_OLD", autocompletion=finding_codes)
    ] = None,
    band: Annotated[str | None, typer.Option(help="risk band, such as HIGH", autocompletion=bands)] = None,
    verdict: Annotated[str | None, typer.Option(help="what the guard answered, such as BLOCK")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="where an exception stood, or how an installation ended, such as APPROVED, SUCCEEDED"),
    ] = None,
    environment: Annotated[str | None, typer.Option(help="environment")] = None,
    tenant: Annotated[str | None, typer.Option(help="tenant")] = None,
    operator: Annotated[str | None, typer.Option(help="who acted: a name or its pseudonym")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="most events to show")] = 50,
    after: Annotated[str | None, typer.Option(help="event that ended the page before", metavar="EVENT_ID")] = None,
    everything: Annotated[bool, typer.Option("--all", help="also the guard's own changelogs and anchors")] = False,
    columns: tables.ColumnsOption = None,
    wide: tables.WideOption = False,
    output: StreamOption = Stream.table,
) -> None:
    """Find events, the newest first: who did what, with which outcome and why. Ends with 1 if there is none.

    The outcome of a command or decision that is only SENT is a separate event, REFUSED if it was not accepted.

    `ledger show` prints the whole story of a request or an exception, `ledger prove` proves an event.
    """
    wanted = Wanted(
        plugin_id=plugin,
        plugin_version=plugin_version,
        host_version=host_version,
        approver=names_of(approver),
        approval_id=approval_id,
        exception_id=exception,
        finding=_one_of(Code, finding, "--finding"),
        band=_one_of(Band, band, "--band"),
        verdict=_one_of(Verdict, verdict, "--verdict"),
        state=None if state is None else state.upper().replace("-", "_"),
        environment=environment,
        tenant=tenant,
        operator=names_of(operator),
        since=instant(since, "--since"),
        until=instant(until, "--until"),
        machinery=everything,
    )
    with database("guard_auditor") as engine, reading(engine) as connection:
        found = queries.search(connection, wanted, limit=limit, after=_place(connection, after))
    if output is Stream.table:
        with tables.paged():
            tables.listing([_in_short(row) for row in found], SHORT, WIDE, tables.Asked.of(columns, wide))
    else:
        show([_shown(row) for row in found], output)
    if not found:
        talk().print("no event matches")
    elif len(found) == limit:
        talk().print(f"there may be more: add --after {found[-1]['event_id']}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found else 1)


def _place(connection: Connection, event_id: str | None) -> RecordPosition | None:
    if event_id is None:
        return None
    for row in queries.search(connection, Wanted(event_id=event_id), limit=1):
        return place_of(row)
    raise SettingsInvalid(f"--after `{shorten(event_id)}` is not an event of the ledger")


def _one_of(words: type[StrEnum], given: str | None, option: str) -> str | None:
    """The word as the ledger has it. Raises SettingsInvalid for an unknown word, which would find nothing."""
    if given is None:
        return None
    word = given.upper().replace("-", "_")
    if word not in words.__members__:
        raise SettingsInvalid(f"{option} `{shorten(given)}`: {nearest(word, words.__members__)}")
    return word


def _in_short(row: Mapping[str, Any]) -> dict[str, Any]:
    """A summary of a row for a table."""
    said = happening(row)
    return {
        **row,
        **said._asdict(),
        "who": short(said.who),
        "outcome": said.outcome.replace("_", " "),  # a narrow column can break it between words
        "time": clock(row["appended_at"]),
        "plugin": f"{row['plugin_id'] or ''} {row['plugin_version'] or ''}".strip(),
        "host": f"{row['host'] or ''} {row['host_version'] or ''}".strip(),
    }


_OTHERWISE = ("payload", "row_hash", "value_digest", "appended_at")
"""Columns that JSON shows in another form; the time is the first of its fields."""


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "time": instant_of(row["appended_at"]),
        **happening(row)._asdict(),
        **{name: value for name, value in row.items() if name not in _OTHERWISE},
        "filed_late": is_late(row["partition"]),
        "payload": json.loads(row["payload"]),
        "value_digest": f"sha256:{bytes(row['value_digest']).hex()}",
        "row_hash": f"sha256:{bytes(row['row_hash']).hex()}",
    }


@app.command("show")
def show_case(
    case: Annotated[str, typer.Argument(help="request id, exception id or event id", metavar="ID")],
    output: StreamOption = Stream.table,
) -> None:
    """Show the whole story of one case, in order. Ends with 1 if the ledger has nothing under that id."""
    with database("guard_auditor") as engine, reading(engine) as connection:
        rows = [row for row in queries.story(connection, case) if row["kind"] not in queries.MACHINERY]
    if output is Stream.table:
        with tables.paged():
            for row in rows:
                typer.echo(f"{clock(row['appended_at'])}  {tell(row)}")
    else:
        show([{**_shown(row), "story": tell(row)} for row in rows], output)
    if not rows:
        talk().print(f"nothing in the ledger has the id `{case}`", highlight=False)
    raise typer.Exit(0 if rows else 1)


@app.command("export")
def export_events(
    file: Annotated[Path, typer.Argument(help="file to write; its manifest appears beside it")],
    format_: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet")] = "jsonl",
    plugin: Annotated[str | None, typer.Option(help="plugin id")] = None,
    tenant: Annotated[str | None, typer.Option(help="tenant")] = None,
    exception: Annotated[str | None, typer.Option(help="exception id")] = None,
    since: Since = None,
    until: Until = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite an existing file")] = False,
) -> None:
    """Write events to a file, oldest first, with a manifest of digests beside it. Stdout stays empty."""
    if file.exists() and not force:
        raise SettingsInvalid(f"`{file}` is there already; --force writes over it")
    if format_ not in get_args(Format):
        raise SettingsInvalid(f"--format `{format_}` is none of {', '.join(get_args(Format))}")
    wanted = Wanted(
        plugin_id=plugin,
        tenant=tenant,
        exception_id=exception,
        since=instant(since, "--since"),
        until=instant(until, "--until"),
    )
    console = talk()
    with (
        database("guard_auditor") as engine,
        reading(engine) as connection,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("events", total=queries.count(connection, wanted))
        manifest = export(
            connection, wanted, file, cast(Format, format_), lambda rows: progress.advance(task, rows)
        )
    if console.is_terminal:
        console.print(f"wrote {file}, and what is in it: {manifest}", highlight=False)


@app.command("verify")
def verify(
    since: Since = None,
    until: Until = None,
    partition: Annotated[int | None, typer.Option(help="number of one partition of each topic")] = None,
    anchors: Annotated[Path | None, typer.Option(help="anchors as JSON Lines, instead of from their topic")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="only the anchors that the ledger itself has")] = False,
    keys: Keys = None,
    output: StreamOption = Stream.table,
) -> None:
    """Recompute every hash, and report every inconsistency. Ends with 1 if there is any."""
    known = public_keys(keys)
    published = [] if offline else read_anchors(anchors) if anchors else published_anchors()
    window = Window(instant(since, "--from"), instant(until, "--to"), partition)
    started = time.perf_counter()
    with database("guard_auditor") as engine, reading(engine) as connection:
        count, anchors_read, found = verify_all(connection, published, known, window)
        found += [] if offline or anchors else changed_topics(connection)
    seconds = time.perf_counter() - started
    show([{**asdict(wrong), "kind": str(wrong.kind)} for wrong in found], output)
    verdict = "whole" if not found else f"NOT WHOLE: {len(found)} inconsistencies"
    talk().print(
        f"{count} rows in {seconds:.1f} s ({count / seconds:,.0f} a second), {anchors_read} anchors: {verdict}",
        highlight=False,
    )
    raise typer.Exit(1 if found else 0)


def changed_topics(connection: Connection) -> list[Inconsistency]:
    """Topics that are not those from which the ledger was filed."""
    noted = origins.lives(connection)
    found = origins.changes(noted, identify(settings())(noted))
    return [
        Inconsistency(Kind.TOPIC_CHANGED, change.topic, of_life(0, noted[change.topic].number), 0, change.message)
        for change in found
    ]


def read_anchors(path: Path) -> list[Noted]:
    """Anchors as `ledger anchors` prints them. Raises DocumentRefused."""
    try:
        return [_noted(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line]
    except OSError as error:
        raise DocumentRefused.unopened(path, error) from None
    except (ValueError, AttributeError):
        raise DocumentRefused(str(path), "expected anchors as JSON Lines; `ledger anchors` prints them") from None


def _noted(line: dict[str, Any]) -> Noted:
    if not line.keys() >= {"anchor_id", "at", "topic", "partition", "sequence", "next_offset", "head"}:
        raise ValueError(line)
    return Noted(line.pop("offset", NOWHERE), line)


@app.command("anchors")
def anchors() -> None:
    """Print the anchors on their topic as JSON Lines, to be kept outside of the database."""
    for offset, event in published_anchors():
        typer.echo(json.dumps({"offset": offset, **event}))


@app.command("prove")
def prove(
    event_id: Annotated[str, typer.Argument(help="event id", metavar="EVENT_ID")],
    file: Annotated[Path | None, typer.Option("--file", "-f", help="write it here instead of stdout")] = None,
    keys: Keys = None,
) -> None:
    """Prove that an event is in the ledger. The proof can be checked with only a public key."""
    known, published = public_keys(keys), published_anchors()
    with database("guard_auditor") as engine, reading(engine) as connection:
        proof = prove_event(connection, event_id, published, known, settings().ledger.anchor_every)
    text = json.dumps(proof, indent=2, ensure_ascii=False)
    if file is None:
        typer.echo(text)
    else:
        file.write_text(text + "\n", "utf-8")


@app.command("verify-proof")
def verify_proof(
    file: Annotated[Path, typer.Argument(help="a proof as `ledger prove` writes it")], keys: Keys = None
) -> None:
    """Check a proof without database and broker. Ends with 1 if it is not valid."""
    known = public_keys(keys)
    with naming(file):
        proof = _json(file)
        wrong = check(proof, known)
    for sentence in wrong:
        typer.echo(sentence)
    if not wrong:
        row, anchor = proof["row"], proof["anchor"]
        typer.echo(
            f"event {row['event_id']} ({row['kind']}) is row {proof['sequence']} of "
            f"{row['topic']}/{row['partition']}, as anchored on {clock(anchor['at'])} UTC"
        )
    raise typer.Exit(1 if wrong else 0)


def _json(file: Path) -> Any:
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST_PROOF + 1)
    except OSError as error:
        raise DocumentRefused.unopened(file, error) from None
    return read_proof(text)
