"""`compat-guard ledger reconcile`: compares topics with the ledger, and repairs what can be repaired."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Annotated

import typer
from sqlalchemy import Engine

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.ledger import identify
from processors.bootstrap.ledger_access import database, public_keys, published_anchors
from processors.cli import talk
from processors.cli.formats import Stream, StreamOption
from processors.cli.ledger.output import show
from processors.cli.ledger.queries import Keys, app
from processors.configuration.settings import settings
from processors.contracts.files import load_topics
from processors.contracts.topics import Topic
from processors.errors import EventUnreadable, OriginChanged, SettingsInvalid
from processors.events.exceptions import ExceptionDecided
from processors.events.topics import EXCEPTION_DECISIONS, LEDGER_ANCHORS
from processors.ledger import origins, views
from processors.ledger.anchoring import ChainPosition, publish_anchors
from processors.ledger.anchors import anchored_offsets
from processors.ledger.chain import leaf_of
from processors.ledger.database import frozen, reading, writing
from processors.ledger.filing import At
from processors.ledger.keys import read_keys
from processors.ledger.late import file_late, late_chains
from processors.ledger.numbering import of_life
from processors.ledger.origins import life_of
from processors.ledger.processor import Ledger
from processors.ledger.reading import Window, exception_states, read_chain, read_rows
from processors.ledger.reconcile import (
    Comparison,
    Difference,
    Gap,
    Kind,
    Placed,
    by_chain,
    compare_states,
    filed,
    gaps,
    restore,
)
from processors.ledger.records import Row
from processors.masking.masker import Masker
from processors.masking.pseudonyms import PseudonymKeys
from processors.stream.io.follow import Follower
from processors.stream.io.publish import Publisher
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.reader import Read, decision_reader
from processors.stream.wire.schema import Schemas


@app.command("reconcile")
def reconcile(
    topic: Annotated[list[str] | None, typer.Option("--topic", help="only this topic; may be repeated")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="repair chains and current state, and file what was skipped")
    ] = False,
    keys: Keys = None,
    output: StreamOption = Stream.table,
) -> None:
    """Compare every record on the topics with the ledger, and current state with its events.

    A repair restores rows that a chain proves. Records that the sink has skipped are filed late, in a separate
    chain that the repair signs. Records that the sink has yet to file are left alone. Ends with 1 if anything
    differs, after the repair if one was requested.
    """
    chosen = _chosen(topic)
    _require_same(chosen)
    with codec(settings()) as events:
        anchored = anchored_offsets(published_anchors(), public_keys(keys))
        found, missing = _compare(chosen, events, anchored)
        if repair:
            _repair(missing, events)
            found, _ = _compare(chosen, events, anchored)
    show([{**asdict(difference), "kind": str(difference.kind)} for difference in found], output)
    faults = [difference for difference in found if difference.kind is not Kind.BEHIND]
    talk().print(f"{len(chosen)} topics compared, {len(faults)} differences", highlight=False)
    raise typer.Exit(1 if faults else 0)


def _chosen(names: Sequence[str] | None) -> list[Topic]:
    topics = load_topics(settings().config / "topics.yaml").telling
    unknown = set(names or ()) - {topic.name for topic in topics}
    if unknown:
        raise SettingsInvalid(f"topics.yaml declares no topic `{min(unknown)}` that the ledger keeps")
    return [topic for topic in topics if not names or topic.name in names]


def _require_same(topics: Sequence[Topic]) -> None:
    """Raises OriginChanged if a topic is not the one from which the ledger was filed: nothing could be compared."""
    found = identify(settings())([topic.name for topic in topics])
    with database("guard_auditor") as engine, reading(engine) as connection:
        changed = origins.changes(origins.lives(connection), found)
    if changed:
        raise OriginChanged("; ".join(change.message for change in changed))


def _compare(
    topics: Sequence[Topic], events: Codec, anchored: Mapping[At, int]
) -> tuple[list[Difference], list[Inbound]]:
    found: list[Difference] = []
    missing: list[Inbound] = []
    follower = Follower(stream_settings(settings()), "ledger-reconcile", brief=True)
    try:
        with database("guard_auditor") as engine:
            for topic in topics:
                found += _compare_topic(topic, engine, follower, events, anchored, missing)
    finally:
        follower.close()
    with database("guard_maintenance") as engine, frozen(engine) as connection:
        for wrong in views.compare(connection):
            message = f"{wrong.unfounded} rows of `{wrong.table}` without events, {wrong.missing} missing"
            found.append(Difference(Kind.STATE, wrong.table, 0, 0, message))
    return found, missing


def _compare_topic(
    topic: Topic,
    engine: Engine,
    follower: Follower,
    events: Codec,
    anchored: Mapping[At, int],
    missing: list[Inbound],
) -> Iterator[Difference]:
    with reading(engine) as connection:
        chains = filed(connection, topic.name, anchored, life_of(connection, topic.name))
        comparison = Comparison(chains, topic.retention == "compacted")
        kept = exception_states(connection) if topic.name == EXCEPTION_DECISIONS else {}
    newest: dict[str, tuple[int, int, str]] = {}
    read = decision_reader(events) if topic.name == EXCEPTION_DECISIONS else None
    follower.from_beginning([topic.name])
    for record in follower.read():
        yield from comparison.compare(record)
        if read is not None and record.offset < comparison.next_offset(record.partition):
            _note_state(read, record, newest)
    yield from comparison.end(topic.name)
    yield from compare_states(topic.name, newest, kept)
    missing += comparison.missing


def _note_state(read: Read[ExceptionDecided], record: Inbound, newest: dict[str, tuple[int, int, str]]) -> None:
    try:
        decided = read(record.value)
    except EventUnreadable:
        return
    newest[decided.exception_id] = (record.partition, record.offset, decided.to_state)


def _repair(missing: Sequence[Inbound], events: Codec) -> None:
    """Restore what a chain proves, and file late what no chain ever had."""
    maskers = _maskers()
    rows_by = readings(events, maskers)
    with database("guard_maintenance") as engine:
        for (topic, partition), records in by_chain(missing):
            with reading(engine) as connection:
                at = (topic, of_life(partition, life_of(connection, topic)))
                chains = [at, *late_chains(connection, at)]
            left = list(records)
            skipped = list(records)
            for chain in chains:
                found = gaps_in(engine, chain)
                with writing(engine) as connection:
                    restored = restore(connection, found, left, [_placed(read, chain[1]) for read in rows_by])
                left = [record for record in left if record not in restored]
                skipped = [r for r in skipped if not any(gap.holds(r) for gap in found)]
            if skipped:
                _file_late(at, [rows_by[0](record) for record in skipped], maskers[0], events)
            told = f"{at[0]}/{partition}: {len(records) - len(left)} of {len(records)} missing rows restored"
            talk().print(f"{told}, {len(skipped)} filed late", highlight=False)
        with frozen(engine) as connection:
            views.rebuild(connection)


def gaps_in(engine: Engine, at: At) -> list[Gap]:
    """The gaps of a chain: rows that it proves to have had."""
    with reading(engine) as connection:
        stretch = read_chain(connection, at, (), Window())
        rows = sorted(
            Placed(row.sequence, row.offset, row.hash, leaf_of(row.canonical))
            for row in read_rows(connection, stretch)
        )
    chain = stretch.chain
    return list(gaps(rows, chain.head.sequence, chain.head.hash, chain.start, chain.before))


def _file_late(at: At, rows: Sequence[Row], masker: Masker, events: Codec) -> None:
    """As the sink files, but signed before it is committed: an unsigned late chain is a forgery.

    A repair that fails in between has filed nothing, and files the very same rows the next time.
    """
    keys = read_keys(settings().ledger.keys)
    encode = events.encoder(LEDGER_ANCHORS, "LedgerAnchored")
    with (
        closing(Publisher(stream_settings(settings()))) as publish,
        database("guard_sink") as engine,
        writing(engine) as connection,
    ):
        committed = file_late(connection, at, rows, masker.met, keys.pseudonyms, time.time_ns() // 1_000_000)
        heads = {late: ChainPosition(head, committed.positions[late]) for late, head in committed.heads.items()}
        publish_anchors(heads, encode, publish, keys.anchors[-1])


def _placed(read: Callable[[Inbound], Row], number: int) -> Callable[[Inbound], Row]:
    return lambda record: replace(read(record), partition=number)


def _maskers() -> list[Masker]:
    """One for each pseudonym key that ever was current, the newest first."""
    keys = read_keys(settings().ledger.keys).pseudonyms
    return [Masker(PseudonymKeys(key_id, keys.keys)) for key_id in reversed(list(keys.keys))]


def readings(events: Codec, maskers: Sequence[Masker]) -> list[Callable[[Inbound], Row]]:
    """Rows under each pseudonym key; then as 0.1.0 filed them, with fewer fields; then as they were filed before
    rows had the digest of their question."""
    topics = load_topics(settings().config / "topics.yaml").telling
    names = {topic.name: topic.event for topic in topics}
    compacted = [topic.name for topic in topics if topic.retention == "compacted"]
    codecs = (events, events.speaking(Schemas.first_released(settings().schemas)))
    known = [Ledger(codec, names, masker, compacted).row for codec in codecs for masker in maskers]
    return [*known, *(_without_digest(read) for read in known)]


def _without_digest(read: Callable[[Inbound], Row]) -> Callable[[Inbound], Row]:
    return lambda record: replace(read(record), input_digest=None)
