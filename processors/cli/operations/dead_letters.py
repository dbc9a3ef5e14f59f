"""`compat-guard dead-letters`: shows what could not be processed, and replays it once the cause is fixed."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from processors.cli import tables
from processors.cli.formats import Listing, ListingOption
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid, Undeliverable, shorten
from processors.masking.texts import labelled_all
from processors.matrix.writing import instant

if TYPE_CHECKING:
    from processors.stream.io.replay import Wanted
    from processors.stream.loop.dead_letters import Letter
    from processors.stream.settings import StreamSettings

app = typer.Typer(
    add_completion=False,
    help="Records that could not be processed: show and replay them.",
    no_args_is_help=True,
)


Topic = Annotated[str | None, typer.Option(help="only those that came from this topic")]
Reason = Annotated[str | None, typer.Option(help="only those with this reason, such as unreadable or internal")]
Processor = Annotated[str | None, typer.Option(help="only those of this processor")]
Since = Annotated[
    datetime | None, typer.Option(help="only those since this time, UTC", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
]


@app.command("list")
def list_letters(
    topic: Topic = None,
    reason: Reason = None,
    processor: Processor = None,
    since: Since = None,
    everything: Annotated[
        bool, typer.Option("--all", help="also those that were replayed and came back as another one")
    ] = False,
    output: ListingOption = Listing.table,
) -> None:
    """List dead letters, oldest first. Ends with 0, also if there are none."""
    from processors.stream.io.replay import Wanted, letters, newest  # noqa: PLC0415 - the help needs no client library

    wanted, found, others = _wanted(topic, reason, processor, since), list["Letter"](), 0
    there = letters(_stream(), Wanted())
    for letter in there if everything else newest(there):
        if letter in wanted:
            found.append(letter)
        else:
            others += 1
    if output is Listing.json:
        typer.echo(json.dumps([_facts(letter) for letter in found]))
        return
    if not found:
        typer.echo(_none(others))
        return
    columns = ("id", "when", "from", "processor", "reason", "message")
    tables.show(columns, [[str(facts[name]) for name in columns] for facts in map(_facts, found)])


@app.command()
def show(letter_id: Annotated[str, typer.Argument(metavar="ID", help="as in the list, such as 0:17")]) -> None:
    """Show everything about one dead letter as JSON except its payload, of which only the size is shown."""
    from processors.stream.io.replay import Wanted, letters  # noqa: PLC0415 - the help needs no client library

    for letter in letters(_stream(), Wanted(ids={letter_id})):
        headers = labelled_all((name, _text(content) or "") for name, content in letter.record.headers)
        key = None if letter.record.key is None else _text(letter.record.key)
        size = None if letter.record.value is None else len(letter.record.value)
        typer.echo(json.dumps(_facts(letter) | {"key": key, "bytes": size, "headers": headers}, indent=2))
        return
    raise _no_such(letter_id)


@app.command()
def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="which; by default all that match")
    ] = None,
    topic: Topic = None,
    reason: Reason = None,
    processor: Processor = None,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be sent, and send nothing")] = False,
) -> None:
    """Send records again to the topic they came from, with their original key, bytes and headers.

    Safe to repeat: consumers recognise records by their ids. A record that still fails comes back as a dead letter,
    which then stands for both. What the relay could not deliver is left to `deliveries replay`. Sends nothing and
    ends with 2 if there is no letter with one of the ids.
    """
    from processors.stream.io.replay import Wanted, letters, newest, replay  # noqa: PLC0415 - no client for the help

    wanted, there = _wanted(topic, reason, processor, since, ids), list(letters(_stream(), Wanted()))
    all_of_them = (letter for letter in newest(there) if letter.reason != Undeliverable.reason)
    chosen = [letter for letter in (there if ids else all_of_them) if letter in wanted]
    if unknown := [id for id in ids or () if id not in {letter.id for letter in chosen}]:
        raise _no_such(unknown[0])
    if dry_run:
        for letter in chosen:
            typer.echo(f"{letter.id} to {letter.topic}")
        return
    sent = replay(_stream(), chosen, _declared())
    typer.echo(f"sent {sent} {'record' if sent == 1 else 'records'} again")


def _none(others: int) -> str:
    if not others:
        return "no dead letters"
    return f"none of these; there {'is 1 other' if others == 1 else f'are {others} others'}"


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")


def _no_such(letter_id: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"there is no dead letter `{shorten(letter_id)}` of this kind; `compat-guard dead-letters list` shows them"
    )


def _stream() -> StreamSettings:
    from processors.bootstrap.clients import stream_settings  # noqa: PLC0415 - the help needs no client library

    return stream_settings(settings())


def _declared() -> Collection[str]:
    from processors.contracts.files import load_topics  # noqa: PLC0415 - the help needs no contract

    return {topic.name for topic in load_topics(settings().config / "topics.yaml").topics}


def _wanted(
    topic: str | None,
    reason: str | None,
    processor: str | None,
    since: datetime | None,
    ids: Collection[str] | None = None,
) -> Wanted:
    from processors.stream.io.replay import Wanted  # noqa: PLC0415 - the help needs no client library

    start = None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000)
    return Wanted(topic=topic, reason=reason, processor=processor, since=start, ids=set(ids) if ids else None)


def _facts(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "when": instant(letter.record.timestamp),
        "from": f"{letter.topic}/{letter.partition}@{letter.offset}",
        "processor": letter.processor,
        "reason": letter.reason,
        "stage": letter.stage,
        "message": letter.message,
        "truncated": letter.truncated,
        "again": letter.again,
    }
