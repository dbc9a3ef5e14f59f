"""Secrets in every field that people fill: none is in the database, the logs, the metrics or the dead letters."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import structlog
from examples.ledgers import MASKER, NOW, commit, started
from prometheus_client import generate_latest
from sqlalchemy import Engine

from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.ledger.processor import Ledger
from processors.ledger.transaction import Entries
from processors.stream.loop.dead_letters import dead_letter
from processors.stream.types import Inbound, Reject
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

pytestmark = pytest.mark.stack

CANARY = re.compile(r"canary\d+bird", re.IGNORECASE)
FORMS = (
    "we know that password={0} and go on",
    '{{"api_key": "{0}"}}',
    "Authorization: Bearer {0}abcdef",
    "see postgres://guard:{0}@db.internal/x",
    "passphrase is {0}",
    "-----BEGIN PRIVATE KEY-----\n{0}\n-----END PRIVATE KEY-----",
    "eyJhbGciOiJub25lIn0.{0}.x",
    "pass\u200bword\u202e={0}",
    *("pass: {0}", "the pw={0}", "Passwort: {0}", "login --password {0}", "mysql -u root -p{0}", "otp is {0}"),
    *("curl -u admin:{0} https://x", "https://x.blob/y?sv=1&sig={0}&se=3", "Password: correct {0} battery"),
    *("amqp://guard:hun/{0}@rabbit/vh", "postgres://guard:hun@{0}@db/x", "Cookie: a=b; c={0}"),
    *("Authorization: Token {0}", '{{"Authorization": "ApiKey {0}"}}', '{{"password": "hun\\"{0}"}}'),
)
NUMBERS = itertools.count()


def canary() -> str:
    number = next(NUMBERS)
    return FORMS[number % len(FORMS)].format(f"Canary{number}Bird")


def filled(type_: Any, named: dict[str, Any]) -> Any:
    """A value of a schema with a canary wherever there is text, and one item in every list and map."""
    if isinstance(type_, str):
        return filled(named[type_], named) if type_ in named else PLAIN.get(type_, int)()
    if isinstance(type_, list):
        return filled(next(branch for branch in type_ if branch != "null"), named)
    if "name" in type_:
        named[f"compat.{type_['name']}"] = type_
    compound = {
        "record": lambda: {field["name"]: filled(field["type"], named) for field in type_["fields"]},
        "enum": lambda: type_["symbols"][-1],
        "array": lambda: [filled(type_["items"], named)],
        "map": lambda: {canary(): filled(type_["values"], named)},
    }
    return compound.get(type_["type"], lambda: filled(type_["type"], named))()


PLAIN: dict[str, Callable[[], Any]] = {"string": canary, "boolean": bool, "bytes": bytes}


def records(codec: Codec) -> Iterator[Inbound]:
    for topic in load_topics(shipped("config") / "topics.yaml").topics:
        if topic.event:
            schema = json.loads((shipped("schemas") / f"{topic.event}.avsc").read_text())
            event = filled(schema, {})
            value = codec.encoder(topic.name, topic.event)(event)
            headers = [("x-note", canary().encode())]
            yield Inbound(topic.name, 0, 0, NOW, canary().encode(), value, headers)
        yield Inbound(topic.name, 0, 1, NOW, canary().encode(), canary().encode(), [("x", canary().encode())])


class Now:
    now = NOW


def test_no_canary_survives(sink: Engine, superuser: psycopg.Connection) -> None:
    """Every text of every event and every header carries one; what comes out carries none."""
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    topics = load_topics(shipped("config") / "topics.yaml").topics
    ledger = Ledger(codec, {topic.name: topic.event for topic in topics}, MASKER)
    incoming = list(records(codec))
    with structlog.testing.capture_logs() as logs:
        outcome = ledger.handle(incoming, Now())  # type: ignore[arg-type]
        assert isinstance(outcome, Entries)
        commit(started(sink, outcome.rows), outcome.rows)

    dump = "\n".join(everything(superuser))
    letters = [
        dead_letter(Reject(r, row.reason or "", row.payload, "handle"), "ledger", "d")
        for r, row in zip(incoming, outcome.rows, strict=True)
        if row.status != "recorded"
    ]
    told = " ".join(str(value) for letter in letters for name, value in letter.headers if "errors" in name)
    assert next(NUMBERS) > 300
    assert len(outcome.rows) == len(incoming)
    assert {row.kind for row in outcome.rows} >= {topic.event for topic in topics if topic.event}
    for place, text in {
        "database": dump,
        "logs": str(logs),
        "metrics": generate_latest().decode(),
        "dead letters": told,
    }.items():
        found = [text[max(m.start() - 90, 0) : m.end() + 20] for m in CANARY.finditer(text)]
        assert found == [], place


def everything(root: psycopg.Connection) -> Iterator[str]:
    """All rows of all tables of the ledger as text."""
    tables = root.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE nspname = 'ledger' AND relkind IN ('r', 'p') AND NOT relispartition"
    ).fetchall()
    for (table,) in tables:
        for (row,) in root.execute(f"SELECT t::text FROM {table} t".encode()):  # noqa: S608 - the catalogue's names
            yield row
