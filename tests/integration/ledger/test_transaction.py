"""The sink's transaction on a real Postgres: once, in order, fenced, and nothing that can be changed afterwards."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from examples.ledgers import MASKER, NOW, commit, rows_of, started
from sqlalchemy import Engine, text

from processors.configuration.settings import shipped
from processors.errors import Fenced
from processors.events.topics import EXCEPTION_DECISIONS
from processors.ledger import projections, views
from processors.ledger.database import connect, cursor_of, frozen, reading, writing
from processors.ledger.filing import file
from processors.ledger.processor import Ledger
from processors.ledger.samples import story, traffic
from processors.ledger.transaction import Entries, PostgresTransaction, move
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

pytestmark = pytest.mark.stack


def test_rows_and_offsets_move_together(sink: Engine, superuser: psycopg.Connection) -> None:
    """What was committed is where the next process begins."""
    rows = rows_of([*story(1), *story(2)])
    transaction = started(sink, rows)
    positions = commit(transaction, rows)

    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (len(rows),)
    assert PostgresTransaction(sink).committed(list(positions)) == positions


def test_an_aborted_batch_leaves_nothing(sink: Engine, superuser: psycopg.Connection) -> None:
    """The same rows again after an abort are there once."""
    rows = rows_of(list(story(1)))
    transaction = started(sink, rows)
    transaction.begin()
    transaction.write(Entries(rows=rows), ())
    transaction.advance({(row.topic, row.partition): row.offset + 1 for row in rows})
    transaction.abort()

    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (0,)
    commit(transaction, rows)
    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (len(rows),)


def test_of_two_sinks_the_loser_is_fenced(sink: Engine, superuser: psycopg.Connection) -> None:
    """Both believe that they own the partition; one of them changes nothing."""
    rows = rows_of(list(story(1)))
    winner, loser = started(sink, rows), started(sink, rows)
    commit(winner, rows)

    with pytest.raises(Fenced, match="another sink"):
        commit(loser, rows)
    loser.abort()
    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (len(rows),)


def test_a_row_that_somebody_else_put_behind_the_head_stops_the_sink(sink: Engine, database: str) -> None:
    """Kafka's transaction markers leave gaps, and a forger who leaves the next offset alone fits into one. The
    chain that this process left had another last row, so it files nothing behind a forged one."""
    mine = [row for row in rows_of(list(story(1))) if row.topic == "compat.results"]
    transaction = started(sink, mine)
    positions = {("compat.results", 0): 10}
    commit(transaction, mine[:1])
    transaction.begin()
    transaction.advance(positions)
    transaction.commit()
    forger = connect(database, "guard_sink")
    forged = PostgresTransaction(forger)
    forged.committed(list(positions))
    forged.begin()
    with writing(forger) as connection:
        cursor = cursor_of(connection)
        heads = forged._lock(cursor, list(positions))
        filed = file(cursor, [replace(mine[1], offset=5)], heads)
        move(cursor, positions, filed.heads)
    forged.abort()
    forger.dispose()

    with pytest.raises(Fenced, match="somebody else has written"):
        commit(transaction, [replace(mine[1], offset=10)])


def test_an_event_sent_twice_is_kept_once(sink: Engine, superuser: psycopg.Connection) -> None:
    """The same id with the same content at a new offset is dropped, and the drop is on record."""
    first = [row for row in rows_of(list(story(1))) if row.topic == "compat.blocks"]
    again = [replace(row, offset=row.offset + 1) for row in first]
    transaction = started(sink, first)
    commit(transaction, first)
    commit(transaction, again)

    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (1,)
    assert superuser.execute('SELECT topic, "offset" FROM duplicates').fetchall() == [("compat.blocks", 1)]


def test_an_event_sent_twice_in_one_batch_is_kept_once(sink: Engine, superuser: psycopg.Connection) -> None:
    """As above, without a commit in between."""
    first = [row for row in rows_of(list(story(1))) if row.topic == "compat.blocks"]
    commit(started(sink, first), [*first, *(replace(row, offset=row.offset + 1) for row in first)])

    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (1,)


def test_the_same_id_with_another_content_is_kept_apart(sink: Engine, superuser: psycopg.Connection) -> None:
    """The first one stands, also in the current state; the other is in the ledger and in quarantine."""
    first = [row for row in rows_of(list(story(1))) if row.topic == "compat.blocks"]
    other = [replace(row, offset=1, same=b"x" * 32, plugin_id="other") for row in first]
    transaction = started(sink, first)
    commit(transaction, first)
    commit(transaction, other)

    statuses = superuser.execute('SELECT status FROM ledger_events ORDER BY "offset"').fetchall()
    assert statuses == [("recorded",), ("id_conflict",)]
    assert superuser.execute("SELECT plugin_id FROM blocks").fetchall() == [("plugin-1",)]
    assert superuser.execute("SELECT reason FROM quarantine").fetchall() == [("id_conflict",)]


def test_poison_in_the_middle_costs_one_row(sink: Engine, superuser: psycopg.Connection) -> None:
    """What Postgres refuses is found, and kept by its address; the rest goes on, in an unbroken chain."""
    superuser.execute("ALTER TABLE ledger_events ADD CONSTRAINT no_poison CHECK (plugin_id <> 'poison')")
    some = [row for row in rows_of([s for n in range(40) for s in story(n)]) if row.topic == "compat.results"]
    rows = [replace(row, plugin_id="poison") if row.offset == 17 else row for row in some]
    commit(started(sink, rows), rows)

    assert superuser.execute("SELECT count(*), max(sequence) FROM ledger_events").fetchone() == (80, 80)
    assert superuser.execute('SELECT "offset", reason FROM quarantine').fetchall() == [(17, "refused_by_database")]


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param({"payload": '{"event":"used","round":1099511627776}'}, id="a number that no column holds"),
        pytest.param({"payload": '{"event":"used","uses":"many"}'}, id="a text for a number"),
        pytest.param({"exception_id": random.Random(1).randbytes(9_000).hex()}, id="an id too long for an index"),
    ],
)
def test_poison_in_current_state_costs_one_row(
    sink: Engine, maintenance: Engine, superuser: psycopg.Connection, poison: dict[str, Any]
) -> None:
    """A row that can be filed, and not folded or found again, stops nobody: what goes beside it stands."""
    some = [row for row in rows_of([s for n in range(20) for s in story(n)]) if row.topic == EXCEPTION_DECISIONS]
    rows = [replace(row, **poison) if row.offset == 17 else row for row in some]
    transaction = started(sink, rows)
    commit(transaction, rows)

    assert superuser.execute('SELECT "offset", reason FROM quarantine').fetchall() == [(17, "refused_by_database")]
    filed = superuser.execute("SELECT count(*), max(sequence) FROM ledger_events").fetchone()
    assert filed == (len(rows), len(rows))
    assert superuser.execute("SELECT count(*) FROM exceptions").fetchone() == (20,)
    with frozen(maintenance) as connection:
        assert views.compare(connection) == []


def test_a_number_beyond_32_bits_is_unreadable_and_the_next_record_is_filed(
    sink: Engine, superuser: psycopg.Connection
) -> None:
    """Avro writes numbers of 32 and of 64 bits alike, so whoever may write the topic can put one in."""
    samples = [sample for sample in story(1) if sample.topic == EXCEPTION_DECISIONS]
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    encode = codec.encoder(EXCEPTION_DECISIONS, "ExceptionDecided")
    good = [encode(sample.value) for sample in samples]
    huge = [encode({**samples[0].value, name: 2**40}) for name in ("round", "sequence", "uses")]
    ledger = Ledger(codec, {EXCEPTION_DECISIONS: "ExceptionDecided"}, MASKER)
    rows = [
        ledger.row(Inbound(EXCEPTION_DECISIONS, 0, offset, NOW, b"x", value))
        for offset, value in enumerate([*huge, *good])
    ]
    commit(started(sink, rows), rows)

    statuses = superuser.execute('SELECT status, reason FROM ledger_events ORDER BY "offset"').fetchall()
    assert statuses == [("unreadable", "unreadable_body")] * 3 + [("recorded", None)] * len(good)


def test_current_state_tells_the_case(sink: Engine, superuser: psycopg.Connection) -> None:
    """Blocked, excepted, approved, used and installed under monitoring: one row each, whatever came first."""
    rows = rows_of(list(story(1)))
    transaction = started(sink, rows)
    for topic in sorted({row.topic for row in rows}, reverse=True):
        commit(transaction, [row for row in rows if row.topic == topic])

    assert superuser.execute("SELECT state, round, change, uses FROM exceptions").fetchall() == [
        ("CONSUMED", 1, 4, 1)
    ]
    assert superuser.execute("SELECT verdict FROM requests ORDER BY requested_at").fetchall() == [
        ("BLOCK",),
        ("ALLOW_BY_EXCEPTION",),
    ]
    assert superuser.execute(
        "SELECT required_profile, outcome, monitoring, monitoring_profile FROM executions"
    ).fetchall() == [("strict", "SUCCEEDED", "ATTACHED", "strict")]
    assert superuser.execute("SELECT finding_codes FROM blocks").fetchall() == [(["HOST_TOO_OLD"],)]
    assert {register.table for register in projections.REGISTERS} == set(projections.TABLES)


def test_a_request_shows_the_answer_to_its_own_question_only(
    sink: Engine, maintenance: Engine, superuser: psycopg.Connection
) -> None:
    """Somebody asks something harmless under the id of a blocked request; its answer is newer, and is not shown."""
    asked, answer, *_ = rows_of(list(traffic(0)))
    mine = [replace(row, input_digest="sha256:mine") for row in (asked, answer)]
    others = ({"plugin_id": "harmless"}, {"input_digest": "sha256:theirs"}, {"operator": "mallory"})
    for number, other in enumerate(others, 1):
        theirs = {"verdict": "ALLOW", "offset": number, "event_id": f"other-{number}", "same": bytes([number]) * 32}
        mine.append(replace(mine[1], **{**theirs, **other}))
    for row in [*mine[1:], mine[0]]:
        commit(started(sink, [row]), [row])

    assert superuser.execute("SELECT request_id, verdict FROM requests").fetchall() == [(asked.request_id, "BLOCK")]
    with writing(maintenance) as connection:
        assert views.compare(connection) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_events SET tenant = 'x'",
        "DELETE FROM ledger_events",
        "TRUNCATE ledger_events",
        "TRUNCATE {month}",
        "DELETE FROM {month}",
        "DROP TABLE {month}",
        "DELETE FROM event_findings",
        "DELETE FROM batches",
        "DELETE FROM chain_head",
        "UPDATE event_seen SET same = key",
        "DELETE FROM quarantine",
        "ALTER TABLE ledger_events DISABLE TRIGGER ALL",
        "SELECT ledger.detach_month('2026_01', '')",
    ],
)
def test_the_sink_cannot_change_what_is_written(
    sink: Engine, superuser: psycopg.Connection, statement: str
) -> None:
    """Grants refuse the role that writes."""
    rows = rows_of(list(story(1)))
    commit(started(sink, rows), rows)
    superuser.execute("SET ROLE guard_sink")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        superuser.execute(statement.format(month=this_month()).encode())


@pytest.mark.parametrize("statement", ["UPDATE {0} SET tenant = 'x'", "DELETE FROM {0}", "TRUNCATE {0}"])
@pytest.mark.parametrize("table", ["ledger_events", "{month}"])
def test_not_even_the_owner_changes_it_by_mistake(
    sink: Engine, superuser: psycopg.Connection, statement: str, table: str
) -> None:
    """Triggers refuse where grants do not, on every partition."""
    rows = rows_of(list(story(1)))
    commit(started(sink, rows), rows)
    superuser.execute("SET ROLE guard_owner")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        superuser.execute(statement.format(table.format(month=this_month())).encode())


def test_a_month_is_made_while_somebody_reads(sink: Engine, database: str, superuser: psycopg.Connection) -> None:
    """An export may take hours; filing does not wait for it. The month after is made as well, in time."""
    auditor = connect(database, "guard_auditor")
    months = months_of(superuser)
    with reading(auditor) as connection:
        connection.execute(text("SELECT count(*) FROM ledger.ledger_events"))
        superuser.execute("SET lock_timeout = '2s'")
        old = rows_of(list(story(1)), at=NOW - 500 * 86_400_000)
        commit(started(sink, old), old)
    auditor.dispose()

    made = months_of(superuser) - months
    assert len(made) == 4, made
    for month in made:
        triggers = superuser.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) ORDER BY 1", (month,)
        ).fetchall()
        assert triggers == [("append_only",), ("never_truncated",)]
    assert indexes_of(superuser, made) == indexes_of(superuser, months)


def months_of(superuser: psycopg.Connection) -> set[str]:
    found = superuser.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhrelid::regclass::text ~ '_20\\d\\d_\\d\\d$'"
    )
    return {name for (name,) in found}


def indexes_of(superuser: psycopg.Connection, months: set[str]) -> set[str]:
    """Each index of some months that belongs to one of the whole table, without names."""
    found = superuser.execute(
        "SELECT pg_get_indexdef(i.inhparent) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid "
        "WHERE x.indrelid::regclass::text = ANY(%s)",
        (list(months),),
    )
    return {definition for (definition,) in found}


def this_month() -> str:
    return time.strftime("ledger_events_%Y_%m", time.gmtime(NOW / 1000))
