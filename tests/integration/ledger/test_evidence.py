"""Whoever owns the database can change it. That it was changed is always found, and named."""

# ruff: noqa: S608 - tampering is written as SQL, with values of our own

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from examples.ledgers import KEYS, NOW, anchor_rows, commit, rows_of, started
from joserfc.jwk import ECKey
from psycopg.rows import dict_row
from sqlalchemy import Engine

from processors.cli.ledger.queries import read_anchors
from processors.errors import NotAnchored, SettingsInvalid
from processors.ledger.anchors import Noted, anchor
from processors.ledger.chain import Head, extend, leaf_of, pack
from processors.ledger.database import connect, reading, writing
from processors.ledger.late import file_late
from processors.ledger.proof import check
from processors.ledger.reading import Window, prove_event, read_chain, read_rows
from processors.ledger.records import unreadable_row
from processors.ledger.samples import traffic
from processors.ledger.transaction import Committed
from processors.ledger.verify import Inconsistency, Kind
from processors.ledger.whole import verify_all
from processors.stream.types import Inbound

pytestmark = pytest.mark.stack

TOPIC = "compat.results"


@dataclass
class World:
    """A ledger of 120 results in two partitions, four batches each, every head anchored."""

    sink: Engine
    root: psycopg.Connection
    anchors: list[dict[str, Any]] = field(default_factory=list)

    def fill(self) -> World:
        for partition in range(2):
            rows = [
                r
                for r in rows_of([s for n in range(60) for s in traffic(n)], partition=partition)
                if r.topic == TOPIC
            ]
            rows = [
                r if partition == 0 else r.__class__(**{**_all(r), "event_id": f"p1-{r.event_id}"}) for r in rows
            ]
            transaction = started(self.sink, rows, self.anchor)
            for at in range(0, 60, 15):
                commit(transaction, rows[at : at + 15])
        return self

    def anchor(self, committed: Committed) -> None:
        for at, head in committed.heads.items():
            self.anchors.append(anchor(*at, head, committed.positions[at], NOW, KEYS.anchors[-1]).record())

    @property
    def published(self) -> list[Noted]:
        """The anchors as their topic holds them."""
        return [Noted(offset, event) for offset, event in enumerate(self.anchors)]

    def verify(self, window: Window = Window()) -> list[Inconsistency]:  # noqa: B008 - it is frozen
        with reading(self.sink) as connection:
            return verify_all(connection, self.published, KEYS.public, window).found

    def tamper(self, *statements: str) -> None:
        self.root.execute("SET session_replication_role = replica")
        for statement in statements:
            self.root.execute(statement.encode())
        self.root.execute("SET session_replication_role = origin")


def _all(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


@pytest.fixture
def world(sink: Engine, superuser: psycopg.Connection) -> World:
    return World(sink, superuser).fill()


def test_a_ledger_that_nobody_touched_is_whole(world: World) -> None:
    """Both verifiers agree that nothing is wrong."""
    assert world.verify() == []
    assert independent_verifier(world) == set()


def update_a_row(world: World) -> None:
    world.tamper("UPDATE ledger_events SET band = 'LOW' WHERE sequence = 20 AND partition = 0")


def update_a_payload(world: World) -> None:
    world.tamper(
        "UPDATE ledger_events SET payload = replace(payload::text, 'BLOCK', 'ALLOW')::json "
        "WHERE sequence = 1 AND partition = 0"
    )


def delete_in_the_middle(world: World) -> None:
    world.tamper("DELETE FROM ledger_events WHERE sequence BETWEEN 20 AND 22 AND partition = 0")


def delete_the_tail(world: World) -> None:
    world.tamper("DELETE FROM ledger_events WHERE sequence > 50 AND partition = 0")


def delete_the_tail_with_its_traces(world: World) -> None:
    row = world.root.execute("SELECT row_hash FROM ledger_events WHERE sequence = 45 AND partition = 0").fetchone()
    assert row is not None
    world.tamper(
        "DELETE FROM ledger_events WHERE sequence > 45 AND partition = 0",
        "DELETE FROM batches WHERE number > 3 AND partition = 0",
        f"UPDATE chain_head SET sequence = 45, batches = 3, next_offset = 45, hash = '\\x{row[0].hex()}' "
        "WHERE partition = 0",
    )


def rewrite_with_recomputed_hashes(world: World) -> None:
    """Everything that is in the database is made to fit again: rows, hashes, batches and head."""
    world.tamper("UPDATE ledger_events SET band = 'LOW' WHERE sequence = 20 AND partition = 0")
    with reading(world.sink) as connection:
        stretch = read_chain(connection, (TOPIC, 0), (), Window())
        rows = [row.canonical for row in read_rows(connection, stretch)]
    head = Head()
    for at in range(0, 60, 15):
        extension = extend(head, rows[at : at + 15])
        head = extension.head
        for sequence, row_hash in enumerate(extension.hashes, at + 1):
            world.tamper(
                f"UPDATE ledger_events SET row_hash = '\\x{row_hash.hex()}' "
                f"WHERE sequence = {sequence} AND partition = 0"
            )
        root = extension.batch.root.hex()
        world.tamper(f"UPDATE batches SET root = '\\x{root}' WHERE number = {head.batches} AND partition = 0")
    frontier = pack(head.frontier).hex()
    world.tamper(
        f"UPDATE chain_head SET hash = '\\x{head.hash.hex()}', frontier = '\\x{frontier}' WHERE partition = 0"
    )


def swap_rows_between_partitions(world: World) -> None:
    world.tamper(
        "UPDATE ledger_events SET partition = 2 WHERE sequence = 10 AND partition = 0",
        "UPDATE ledger_events SET partition = 0 WHERE sequence = 10 AND partition = 1",
        "UPDATE ledger_events SET partition = 1 WHERE sequence = 10 AND partition = 2",
    )


def swap_rows_within_a_partition(world: World) -> None:
    world.tamper(
        'UPDATE ledger_events SET "offset" = 1000 WHERE "offset" = 10 AND partition = 0',
        'UPDATE ledger_events SET "offset" = 10 WHERE "offset" = 11 AND partition = 0',
        'UPDATE ledger_events SET "offset" = 11 WHERE "offset" = 1000 AND partition = 0',
    )


def add_a_row_behind_the_end(world: World) -> None:
    world.tamper(
        'INSERT INTO ledger_events SELECT (jsonb_populate_record(e, \'{"offset": 900, "sequence": 61}\')).* '
        "FROM ledger_events e WHERE sequence = 60 AND partition = 0"
    )


def replay_an_old_anchor(world: World) -> None:
    world.anchors.append(world.anchors[0])


def forge_an_anchor(world: World) -> None:
    thief = ECKey.generate_key("P-256", {"kid": KEYS.anchors[-1].kid}, auto_kid=False)
    world.anchors.append(anchor(TOPIC, 0, Head(60, b"x" * 32), 60, NOW, thief).record())


def edit_an_anchor(world: World) -> None:
    world.anchors[-1] = {**world.anchors[-1], "head": "sha256:" + "0" * 64}


def delete_a_whole_chain(world: World) -> None:
    world.tamper(
        *(
            f"DELETE FROM {table} WHERE partition = 0 AND topic = '{TOPIC}'"
            for table in ("ledger_events", "event_findings", "batches", "chain_head")
        )
    )


def pretend_that_rows_were_retired(world: World) -> None:
    world.tamper(
        "INSERT INTO pruned (topic, partition, sequence, hash, month) "
        "SELECT topic, partition, sequence, row_hash, '2024_01' FROM ledger_events "
        "WHERE sequence = 40 AND partition = 0",
        "DELETE FROM ledger_events WHERE sequence <= 40 AND partition = 0",
    )


def pretend_with_an_anchor_of_today(world: World) -> None:
    pretend_that_rows_were_retired(world)
    world.root.execute("SET session_replication_role = replica")
    world.root.execute("UPDATE pruned SET anchor = %s", (json.dumps(world.anchors[3]),))
    world.root.execute("SET session_replication_role = origin")


def change_a_batch_root(world: World) -> None:
    world.tamper(
        "UPDATE batches SET root = row_hash FROM ledger_events e WHERE batches.number = 2 AND batches.partition = 0"
    )


def empty_the_findings(world: World) -> None:
    world.tamper("DELETE FROM event_findings")


def claim_a_finding(world: World) -> None:
    world.tamper(
        'INSERT INTO event_findings (code, appended_at, topic, partition, "offset") '
        "SELECT 'PLUGIN_CONFLICT', appended_at, topic, partition, \"offset\" FROM ledger_events "
        "WHERE sequence = 20 AND partition = 0"
    )


def empty_the_quarantine(world: World) -> None:
    """With a record in it that nobody could read; its row is in the chain."""
    row = unreadable_row(Inbound(TOPIC, 3, 0, NOW, b"k", b"junk"), "unreadable", "no event")
    commit(started(world.sink, [row]), [row])
    assert world.verify() == []
    world.tamper("DELETE FROM quarantine")


def late(world: World, offset: int) -> Committed:
    """File a row late under an offset, as a repair does where the sink has gone on behind it."""
    world.tamper("UPDATE chain_head SET next_offset = 70 WHERE partition = 0")
    (made, *_) = [r for r in rows_of(list(traffic(500))) if r.topic == TOPIC]
    row = replace(made, offset=offset, finding_codes=())
    with writing(world.sink) as connection:
        return file_late(connection, (TOPIC, 0), [row], {}, KEYS.pseudonyms, NOW)


def add_a_late_row(world: World) -> None:
    late(world, 65)


def add_a_row_to_a_late_chain(world: World) -> None:
    """One that a repair has signed."""
    world.anchor(late(world, 65))
    assert world.verify() == []
    world.tamper(
        'INSERT INTO ledger_events SELECT (jsonb_populate_record(e, \'{"offset": 66, "sequence": 2}\')).* '
        "FROM ledger_events e WHERE partition < 0",
        "UPDATE chain_head SET sequence = 2 WHERE partition < 0",
    )


def sign_a_late_row_that_is_on_time(world: World) -> None:
    world.anchor(late(world, 20))


TAMPERINGS: list[tuple[Callable[[World], None], set[Kind]]] = [
    (update_a_row, {Kind.BAD_HASH}),
    (update_a_payload, {Kind.BAD_HASH}),
    (delete_in_the_middle, {Kind.GAP}),
    (delete_the_tail, {Kind.TAIL_TRUNCATED}),
    (delete_the_tail_with_its_traces, {Kind.TAIL_TRUNCATED, Kind.BAD_ROOT}),
    (rewrite_with_recomputed_hashes, {Kind.ANCHOR_MISMATCH}),
    (swap_rows_between_partitions, {Kind.BAD_HASH}),
    (swap_rows_within_a_partition, {Kind.GAP, Kind.REORDERED, Kind.SIDE_TABLE}),
    (add_a_row_behind_the_end, {Kind.EXTRA_ROW}),
    (delete_a_whole_chain, {Kind.TAIL_TRUNCATED}),
    (pretend_that_rows_were_retired, {Kind.PRUNED_EARLY}),
    (pretend_with_an_anchor_of_today, {Kind.PRUNED_EARLY}),
    (replay_an_old_anchor, {Kind.ANCHOR_REPLAYED}),
    (forge_an_anchor, {Kind.BAD_SIGNATURE}),
    (edit_an_anchor, {Kind.BAD_SIGNATURE}),
    (change_a_batch_root, {Kind.BAD_ROOT}),
    (empty_the_findings, {Kind.SIDE_TABLE}),
    (claim_a_finding, {Kind.SIDE_TABLE}),
    (empty_the_quarantine, {Kind.SIDE_TABLE}),
    (add_a_late_row, {Kind.LATE}),
    (add_a_row_to_a_late_chain, {Kind.LATE, Kind.BAD_HASH}),
    (sign_a_late_row_that_is_on_time, {Kind.LATE}),
]


@pytest.mark.parametrize(
    ("tamper", "kinds"), [pytest.param(t, k, id=t.__name__.replace("_", " ")) for t, k in TAMPERINGS]
)
def test_tampering_is_found_and_named(world: World, tamper: Callable[[World], None], kinds: set[Kind]) -> None:
    """A superuser without triggers in the way leaves a trace of the kind that fits, and no other."""
    tamper(world)

    assert {found.kind for found in world.verify()} == kinds


@pytest.mark.parametrize(
    "tamper",
    [
        update_a_row,
        delete_in_the_middle,
        delete_the_tail,
        rewrite_with_recomputed_hashes,
        swap_rows_between_partitions,
    ],
)
def test_a_second_verifier_agrees(world: World, tamper: Callable[[World], None]) -> None:
    """It shares no code with the first, and finds the same chains broken."""
    tamper(world)

    assert independent_verifier(world) == {found.partition for found in world.verify()} != set()


def test_two_anchors_that_overtake_each_other_are_no_replay(world: World) -> None:
    """A sink may be held up between signing and writing. Both anchors fit the chain; but an old one is a replay."""
    world.anchors[0], world.anchors[1] = world.anchors[1], world.anchors[0]
    assert world.verify() == []

    old = anchor(
        TOPIC, 0, Head(15, bytes.fromhex(world.anchors[1]["head"][7:])), 15, NOW - 3_600_000, KEYS.anchors[-1]
    ).record()
    world.anchors[1] = {**old, "anchor_id": old["anchor_id"]}
    assert [found.kind for found in world.verify()][:1] == [Kind.ANCHOR_REPLAYED]


def test_anchors_that_were_kept_elsewhere_are_no_replay(world: World, tmp_path: Path) -> None:
    """They come from a file, whether it knows their places or not, beside those that the ledger has filed."""
    file_anchors(world)
    for kept in ({"offset": 0, **world.anchors[0]}, world.anchors[0]):
        (tmp_path / "anchors.jsonl").write_text(json.dumps(kept))
        with reading(world.sink) as connection:
            noted = read_anchors(tmp_path / "anchors.jsonl")
            assert verify_all(connection, noted, KEYS.public, Window()).found == []


def test_a_chain_that_was_deleted_is_missed_by_the_anchors_that_were_filed(world: World) -> None:
    """Also where nobody can ask the topic."""
    file_anchors(world)
    delete_a_whole_chain(world)
    world.anchors = []

    assert {(found.kind, found.partition) for found in world.verify()} == {(Kind.TAIL_TRUNCATED, 0)}


def test_a_replay_is_found_behind_what_the_ledger_has_filed(world: World) -> None:
    """The sink drops an event that it has; on the topic it lies behind the newer ones."""
    file_anchors(world)
    world.anchors = [world.anchors[0]]

    with reading(world.sink) as connection:
        replayed = [Noted(100, world.anchors[0])]
        found = verify_all(connection, replayed, KEYS.public, Window()).found
    assert [wrong.kind for wrong in found] == [Kind.ANCHOR_REPLAYED]


def file_anchors(world: World) -> None:
    rows = anchor_rows(world.anchors)
    commit(started(world.sink, rows), rows)


def test_a_window_is_verified_by_itself(world: World) -> None:
    """From a day to a day: what lies outside is not read."""
    update_a_row(world)

    assert world.verify(Window(since=NOW + 30)) == []
    assert world.verify(Window(until=NOW + 10)) == []
    assert {found.kind for found in world.verify(Window(since=NOW + 10, until=NOW + 30))} == {Kind.BAD_HASH}


def test_a_proof_stands_on_its_own(world: World) -> None:
    """The file and a public key are enough; any change of the file breaks it."""
    with reading(world.sink) as connection:
        event_id = world.root.execute(
            "SELECT event_id FROM ledger_events WHERE sequence = 33 AND partition = 1"
        ).fetchone()
        assert event_id is not None
        proof = json.loads(json.dumps(prove_event(connection, event_id[0], world.published, KEYS.public)))

    assert check(proof, KEYS.public) == []
    for changed in changes(proof):
        assert check(changed, KEYS.public) != []


def changes(proof: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, value in (
        (("row", "band"), "LOW"),
        (("row", "partition"), 0),
        (("payload",), proof["payload"].replace("plugin", "other")),
        (("sequence",), proof["sequence"] + 1),
        (("batch", "root"), "00" * 32),
        (("batch", "number"), 0),
        (("path_to_batch", 0), "11" * 32),
        (("anchor", "root"), "sha256:" + "22" * 32),
        (("anchor", "signature"), "a.b.c"),
    ):
        changed = copy.deepcopy(proof)
        target: Any = changed
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        yield changed


def test_what_is_not_there_has_no_proof(world: World, database: str) -> None:
    """An unknown id is a usage error, not an empty proof."""
    auditor = connect(database, "guard_auditor")
    with reading(auditor) as connection, pytest.raises(SettingsInvalid, match="not in the ledger"):
        prove_event(connection, "nothing", world.published, KEYS.public)
    auditor.dispose()


def test_a_row_that_no_anchor_covers_yet_says_when_to_come_again(world: World) -> None:
    """It is there, so it is neither a mistake nor an outage."""
    (event_id,) = _value(world, "SELECT event_id FROM ledger_events WHERE sequence = 60 AND partition = 1")
    before = [note for note in world.published if note.event["sequence"] < 60]
    soon = [Noted(note.offset, {**note.event, "at": time.time_ns() // 1_000_000}) for note in before]
    with reading(world.sink) as connection, pytest.raises(NotAnchored) as refused:
        prove_event(connection, event_id, soon, KEYS.public, every=1e9)

    assert refused.value.event_id == event_id
    assert refused.value.due == soon[-1].event["at"] + 10**12
    assert re.search(r"is in the ledger.*the next one comes at [\d:]{8} UTC; come again then", str(refused.value))


def test_a_row_that_waits_far_too_long_for_its_anchor_says_whom_to_look_after(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (event_id,) = _value(world, "SELECT event_id FROM ledger_events WHERE sequence = 60 AND partition = 1")
    monkeypatch.setattr(time, "time_ns", lambda: (NOW + 3_600_000) * 1_000_000)
    with reading(world.sink) as connection, pytest.raises(NotAnchored, match="whether the processor `ledger` runs"):
        prove_event(connection, event_id, [], KEYS.public, every=60)


def _value(world: World, query: str) -> tuple[Any, ...]:
    found = world.root.execute(query.encode()).fetchone()
    assert found is not None
    return found


def independent_verifier(world: World) -> set[int]:
    """Partitions that are not whole, from the published description alone: plain rows, hashlib, and the anchors."""
    broken: set[int] = set()
    for partition in (0, 1):
        with world.root.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                "SELECT *, payload::text AS raw FROM ledger_events WHERE partition = %s ORDER BY sequence",
                (partition,),
            )
            rows = cursor.fetchall()
        last = bytes(32)
        seen = {0: last}
        for row in rows:
            number, stored, raw = row.pop("sequence"), row.pop("row_hash"), row.pop("raw")
            row.pop("payload")
            row["appended_at"] = round(row["appended_at"].timestamp() * 1000)
            row["value_digest"] = row["value_digest"].hex()
            given = {name: value for name, value in row.items() if value is not None}
            text = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" + raw
            leaf = sha256(b"\x00" + text.encode()).digest()
            last = sha256(b"\x01" + last + number.to_bytes(8, "big") + leaf).digest()
            if stored != last or number != len(seen):
                broken.add(partition)
            seen[len(seen)] = last
        for signed in world.anchors:
            if (
                signed["partition"] == partition
                and signed["head"] != "sha256:" + seen.get(signed["sequence"], b"").hex()
            ):
                broken.add(partition)
    return broken


def test_a_leaf_is_what_the_proof_says(world: World) -> None:
    """The canonical row of the reader is the one that was hashed when it was written."""
    with reading(world.sink) as connection:
        stretch = read_chain(connection, (TOPIC, 0), (), Window())
        rows = list(read_rows(connection, stretch))

    assert len({leaf_of(row.canonical) for row in rows}) == 60
