"""What 0.1.0 has left behind, under the guard as it is now: records, changelogs, exceptions that live, the ledger.

`tests/data/releases/0.1.0` was captured from the build that bore that version; `capture.py` beside it says how.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from examples.exception_stream import CODEC as STREAM
from examples.exception_stream import Desk
from examples.exceptions import SCOPE, keys, policy
from examples.ledgers import MASKER, replaced
from sqlalchemy import Engine

from processors.bootstrap.seal_keys import read_seals
from processors.cli.ledger.reconcile import gaps_in, readings
from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.events.exceptions import Status
from processors.events.topics import (
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    LEDGER_ANCHORS,
    NOTIFICATIONS,
    RELAY_STATE,
    RESULTS,
)
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.state.case import ExceptionCase
from processors.ledger import views
from processors.ledger.anchors import Noted
from processors.ledger.database import connect, frozen, migrate, reading, writing
from processors.ledger.keys import read_keys
from processors.ledger.lives import LivingTransaction
from processors.ledger.origins import Origin
from processors.ledger.processor import Ledger
from processors.ledger.reading import Window
from processors.ledger.reconcile import restore
from processors.ledger.transaction import Entries, PostgresTransaction
from processors.ledger.whole import verify_all
from processors.masking.masker import Masker
from processors.relay.delivery import Delivery
from processors.relay.records import from_record
from processors.stream.loop.restore import Restored
from processors.stream.types import Inbound, StateSpec
from processors.stream.wire.codec import Codec
from processors.stream.wire.schema import Schemas

LEFT = Path(__file__).parents[2] / "data" / "releases" / "0.1.0"
TOPICS = load_topics(shipped("config") / "topics.yaml").telling
FACTS: Mapping[str, Any] = json.loads((LEFT / "facts.json").read_text())


class Released:
    """The registry as 0.1.0 left it; what is written anew gets ids behind it."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {
            int(id): text for id, text in json.loads((LEFT / "schemas.json").read_text()).items()
        }

    def id_of(self, subject: str, text: str) -> int:
        known = {text: id for id, text in self._texts.items()}
        return known[text] if text in known else self._add(text)

    def writer(self, subject: str, schema_id: int) -> str:
        return self._texts[schema_id]

    def _add(self, text: str) -> int:
        id = max(self._texts) + 1
        self._texts[id] = text
        return id


CODEC = Codec(Schemas.load(shipped("schemas")), Released())


@cache
def records(topic: str) -> list[Inbound]:
    lines = [json.loads(line) for line in (LEFT / "records.jsonl").read_text().splitlines()]
    return [
        Inbound(
            line["topic"],
            line["partition"],
            line["offset"],
            line["timestamp"],
            _bytes(line["key"]),
            _bytes(line["value"]),
            tuple((name, _bytes(content)) for name, content in line["headers"]),
        )
        for line in lines
        if line["topic"] == topic
    ]


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


@cache
def secret(name: str) -> Path:
    """A file of keys that nobody else can read: a checkout keeps no such mode."""
    copy = Path(tempfile.mkdtemp(prefix="compat-guard-")) / name
    copy.touch(0o600)
    copy.write_bytes((LEFT / name).read_bytes())
    return copy


def restored(spec: StateSpec) -> dict[int, Restored]:
    """What a process restores that has the keys of the release's seals."""
    seals, found = read_seals(secret("seals.json")), {number: Restored() for number in range(6)}
    for record in records(spec.changelog):
        found[record.partition].take(record, spec, seals)
    return found


def exceptions() -> StateSpec:
    return ExceptionWorkflow(CODEC, policy(), keys, read_seals(secret("seals.json"))).state


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.event], ids=lambda topic: topic.name)
def test_every_record_is_read(topic: Any) -> None:
    """Fields that 0.1.0 did not know have their defaults."""
    read = CODEC.decoder(topic.name, topic.event)
    for record in records(topic.name):
        if record.value is not None:
            read(record.value)


def test_the_capture_holds_what_an_upgrade_must_carry_over() -> None:
    assert set(FACTS["exceptions"].values()) >= {"APPROVED", "PENDING", "REJECTED"}
    assert records(RELAY_STATE)
    assert records(LEDGER_ANCHORS)


def test_exceptions_are_restored_as_they_stood() -> None:
    """Each in its state, under its seal, and none of it is taken for a forgery."""
    found = restored(exceptions())

    assert [of.unsound for of in found.values() if of.unsound] == []
    cases = [case for of in found.values() for case in of.values.values() if isinstance(case, ExceptionCase)]
    assert {case.exception_id: str(case.status) for case in cases} == FACTS["exceptions"]


def test_an_exception_that_lives_is_used_after_the_upgrade() -> None:
    """Approved by people under 0.1.0, and let through by the guard as it is now."""
    scope = SCOPE._replace(tenant="approved")
    found = restored(exceptions())
    desk = Desk(FACTS["captured_at"] + 1000, held={number: dict(of.values) for number, of in found.items()})
    assert desk.case(scope.exception_id).status is Status.APPROVED
    use = desk.events.use(scope)
    desk.take(EXCEPTION_USES, scope.exception_id, use)

    (result,) = [output.value for output in desk.outputs if output.topic == RESULTS]
    assert STREAM.decoder(RESULTS, "CompatibilityChecked")(result)["verdict"] == "ALLOW_BY_EXCEPTION"
    assert desk.case(scope.exception_id).uses == 1


def test_a_delivery_that_waited_still_waits() -> None:
    read = CODEC.decoder(RELAY_STATE, "RelayState")
    held = restored(StateSpec(RELAY_STATE, lambda _: b"", lambda value: from_record(read(value))))
    waiting = [value for of in held.values() for value in of.values.values() if isinstance(value, Delivery)]

    assert [of.unsound for of in held.values() if of.unsound] == []
    assert [delivery.pending for delivery in waiting] == [True]


@pytest.fixture
def upgraded(database: str) -> Iterator[Engine]:
    """The ledger of 0.1.0, restored and migrated as UPGRADE.md says."""
    replaced(database, LEFT / "ledger.dump")
    migrate(database)
    engine = connect(database, "guard_sink")
    yield engine
    engine.dispose()


def whole(engine: Engine) -> list[Any]:
    read = CODEC.decoder(LEDGER_ANCHORS, "LedgerAnchored")
    published = [Noted(record.offset, read(record.value)) for record in records(LEDGER_ANCHORS)]
    with reading(engine) as connection:
        return verify_all(connection, published, read_keys(secret("ledger.json")).public, Window()).found


@pytest.mark.stack
def test_the_ledger_verifies_and_goes_on(upgraded: Engine, database: str) -> None:
    """By the anchors that 0.1.0 signed. The sink takes up each chain where it stood, and adds to it."""
    assert whole(upgraded) == []
    maintenance = connect(database, "guard_maintenance")
    with frozen(maintenance) as connection:
        assert views.compare(connection) == []
    maintenance.dispose()

    masker = Masker(read_keys(secret("ledger.json")).pseudonyms)
    ledger = Ledger(CODEC, {topic.name: topic.event for topic in TOPICS}, masker)
    sink = LivingTransaction(
        PostgresTransaction(upgraded), upgraded, lambda topics: {name: Origin("c", name) for name in topics}
    )
    last = records(RESULTS)[-1]
    at = (RESULTS, last.partition)
    assert sink.committed([at])[at] > last.offset
    again = Inbound(RESULTS, last.partition, sink.committed([at])[at], last.timestamp, b"k", b"junk")
    sink.begin()
    sink.write(Entries(rows=[ledger.row(again)]), ())
    sink.advance({at: again.offset + 1})
    sink.commit()

    assert whole(upgraded) == []


@pytest.mark.stack
def test_an_event_that_is_read_again_is_no_conflict(upgraded: Engine, superuser: psycopg.Connection) -> None:
    """0.1.0 noted of it what the guard notes otherwise now."""
    ledger = Ledger(CODEC, {topic.name: topic.event for topic in TOPICS}, MASKER)
    sink = PostgresTransaction(upgraded)
    old = [record for topic in (RESULTS, EXCEPTION_USES, NOTIFICATIONS) for record in records(topic)]
    heads = sink.committed(sorted({(record.topic, record.partition) for record in old}))
    rows = [replace(ledger.row(r), offset=heads[r.topic, r.partition] + r.offset) for r in old]
    sink.begin()
    sink.write(Entries(rows=rows), ())
    sink.advance({at: 2 * offset for at, offset in heads.items()})
    sink.commit()

    assert rows
    of_rows = ([RESULTS, EXCEPTION_USES, NOTIFICATIONS],)
    conflicts = "SELECT count(*) FROM quarantine WHERE reason = 'id_conflict' AND topic = ANY(%s)"
    assert superuser.execute(conflicts, of_rows).fetchone() == (0,)
    duplicates = "SELECT count(*) FROM duplicates WHERE topic = ANY(%s)"
    assert superuser.execute(duplicates, of_rows).fetchone() == (len(rows),)


@pytest.mark.stack
@pytest.mark.parametrize("topic", [RESULTS, EXCEPTION_REQUESTS, EXCEPTION_USES, NOTIFICATIONS])
def test_rows_that_were_deleted_are_put_back(
    upgraded: Engine, superuser: psycopg.Connection, maintenance: Engine, topic: str
) -> None:
    """Without the fields that 0.1.0 did not know: the chain proves no other ones."""
    superuser.execute("SET session_replication_role = replica")
    gone = superuser.execute("DELETE FROM ledger_events WHERE topic = %s", (topic,)).rowcount
    masker = Masker(read_keys(secret("ledger.json")).pseudonyms)
    put_back = 0
    for partition in sorted({record.partition for record in records(topic)}):
        missing = [record for record in records(topic) if record.partition == partition]
        found = gaps_in(upgraded, (topic, partition))
        with writing(maintenance) as connection:
            put_back += len(restore(connection, found, missing, readings(CODEC, [masker])))

    assert put_back == gone > 0
    assert whole(upgraded) == []
