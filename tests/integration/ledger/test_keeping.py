"""Searching, telling, exporting, measuring and retiring what a real Postgres holds."""

# ruff: noqa: S608 - names of tables are our own

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from examples import commands
from examples.ledgers import KEYS, NOW, anchor_rows, commit, rows_of, started
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import Engine, make_url, text

from processors.embedded import Addresses
from processors.errors import DatabaseUnavailable, QueryTooLong, SettingsInvalid
from processors.ledger import measures, queries, retention, views
from processors.ledger.anchors import anchor
from processors.ledger.database import connect, frozen, reading, writing
from processors.ledger.export import Format, export
from processors.ledger.projections import TABLES
from processors.ledger.queries import Wanted, place_of
from processors.ledger.reading import Window, read_chain, read_rows
from processors.ledger.reconcile import Comparison, filed
from processors.ledger.records import Row, canonical_row
from processors.ledger.samples import START, an_id, story, traffic
from processors.ledger.summary import summary
from processors.ledger.telling import tell
from processors.ledger.transaction import Committed
from processors.ledger.whole import verify_all
from processors.stream.types import Inbound

pytestmark = pytest.mark.stack


@pytest.fixture
def auditor(database: str) -> Iterator[Engine]:
    engine = connect(database, "guard_auditor")
    yield engine
    engine.dispose()


@pytest.fixture
def rows(sink: Engine) -> list[Row]:
    """Three cases and thirty requests, filed."""
    filed = rows_of([*(s for n in range(3) for s in story(n)), *(s for n in range(30) for s in traffic(n))])
    commit(started(sink, filed), filed)
    return filed


EXCEPTION, APPROVAL = an_id("exception", 2), an_id("approval", 1)
CAROL, ALICE = KEYS.pseudonyms.pseudonym("carol-2@example.com"), KEYS.pseudonyms.pseudonym("alice-2@example.com")

SEARCHES: list[tuple[Wanted, Callable[[Row], bool]]] = [
    (Wanted(plugin_id="plugin-1"), lambda row: row.plugin_id == "plugin-1"),
    (Wanted(host_version="1.2.0"), lambda row: row.host_version == "1.2.0"),
    (Wanted(exception_id=EXCEPTION), lambda row: row.exception_id == EXCEPTION),
    (Wanted(approval_id=APPROVAL), lambda row: row.approval_id == APPROVAL),
    (Wanted(approver=KEYS.pseudonyms.pseudonyms("carol-2@example.com")), lambda row: row.approver == CAROL),
    (Wanted(operator=KEYS.pseudonyms.pseudonyms("ALICE-2@example.com")), lambda row: row.operator == ALICE),
    (Wanted(finding="HOST_TOO_OLD"), lambda row: "HOST_TOO_OLD" in row.finding_codes),
    (
        Wanted(finding="HOST_TOO_OLD", plugin_id="plugin-2"),
        lambda row: "HOST_TOO_OLD" in row.finding_codes and row.plugin_id == "plugin-2",
    ),
    (Wanted(band="HIGH", tenant="tenant-1"), lambda row: row.band == "HIGH" and row.tenant == "tenant-1"),
    (Wanted(since=NOW + 2, until=NOW + 5), lambda row: NOW + 2 <= row.appended_at < NOW + 5),
    (Wanted(plugin_id="nothing"), lambda _: False),
    (Wanted(verdict="ALLOW_BY_EXCEPTION"), lambda row: row.verdict == "ALLOW_BY_EXCEPTION"),
    (Wanted(state="APPROVED"), lambda row: row.state == "APPROVED"),
    (Wanted(plugin_version="1.2.0"), lambda row: row.plugin_version == "1.2.0"),
    (Wanted(environment="production"), lambda row: row.environment == "production"),
    (Wanted(environment="staging"), lambda _: False),
]


@pytest.mark.parametrize(("wanted", "expected"), SEARCHES)
def test_a_search_finds_what_it_asks_for(
    auditor: Engine, rows: list[Row], wanted: Wanted, expected: object
) -> None:
    """Exactly the matching events, the newest first, page after page."""
    found: list[str] = []
    with reading(auditor) as connection:
        page = queries.search(connection, wanted, limit=7)
        while page:
            found += [row["event_id"] for row in page]
            times = [row["appended_at"] for row in page]
            assert times == sorted(times, reverse=True)
            page = queries.search(connection, wanted, limit=7, after=place_of(page[-1]))

    assert sorted(found) == sorted(row.event_id for row in rows if expected(row))


def test_a_case_is_told_in_order(auditor: Engine, rows: list[Row]) -> None:
    """From the exception one finds the block that led to it and the installation that used it, and back."""
    with reading(auditor) as connection:
        by_exception = queries.story(connection, an_id("exception", 1))
        by_request = queries.story(connection, an_id("request", 1))

    assert [row["event_id"] for row in by_exception] == [row["event_id"] for row in by_request]
    told = [tell(row) for row in by_exception]
    assert len(told) == len(list(story(1)))
    assert any(f"approved by {KEYS.pseudonyms.current}:" in line and "APPROVED" in line for line in told)
    assert any("ended SUCCEEDED, monitoring ATTACHED strict" in line for line in told)


def test_what_came_of_exceptions_is_found_for_several_at_once(auditor: Engine, rows: list[Row]) -> None:
    """In order, of these exceptions alone: decisions, and the last of all else, without what no summary reads."""
    wanted = [an_id("exception", 1), an_id("exception", 2)]
    tenants = {row.tenant for row in rows if row.tenant}
    with reading(auditor) as connection:
        found = queries.of_exceptions(connection, wanted, tenants)
        foreign = queries.of_exceptions(connection, wanted, ["another"])

    assert not any(row["tenant"] for row in foreign)
    decided = [row for row in rows if row.exception_id in wanted and row.kind.endswith("Decided")]
    assert sorted(row["event_id"] for row in found if row["kind"].endswith("Decided")) == sorted(
        row.event_id for row in decided
    )
    assert {row["payload"] for row in found if not row["kind"].endswith("Decided")} == {"{}"}
    for exception in wanted:
        of = [row for row in found if row["exception_id"] == exception]
        assert [row["kind"] for row in of].count("CompatibilityChecked") == 1
        assert [row["kind"] for row in of].count("InstallFinished") == 1
        assert "approved by" in summary(of)
        assert "Allowed by exception" in summary(of)


def test_an_exception_of_many_events_takes_nothing_from_another(
    auditor: Engine, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "OUTCOMES", {"ExceptionDecided": 2})
    wanted = [an_id("exception", 1), an_id("exception", 2)]
    tenants = {row.tenant for row in rows if row.tenant}
    with reading(auditor) as connection:
        found = [row["exception_id"] for row in queries.of_exceptions(connection, wanted, tenants)]
    assert sorted(found) == sorted([*wanted, *wanted])


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_an_export_holds_every_event_and_says_what_it_holds(
    auditor: Engine, rows: list[Row], tmp_path: Path, format_: Format
) -> None:
    """All formats hold the same events; the manifest's digest is that of the file."""
    file, seen = tmp_path / f"events.{format_}", list[int]()
    with reading(auditor) as connection:
        manifest = json.loads(export(connection, Wanted(), file, format_, seen.append).read_text())

    assert manifest["digest"] == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert manifest["rows"] == len(rows) == len(seen) == len(read_back(file, format_))
    assert {row["event_id"] for row in read_back(file, format_)} == {row.event_id for row in rows}
    assert {chain["topic"] for chain in manifest["chains"]} == {row.topic for row in rows}


def test_the_command_exports_again_only_when_forced_and_draws_nothing_into_a_log(
    database: str, rows: list[Row], tmp_path: Path
) -> None:
    """A redirected stderr is a log, and no screen."""
    file = tmp_path / "events.jsonl"
    export_to = ("ledger", "export", str(file))
    environment = {**os.environ, "GUARD_POSTGRES__URL": database}
    runs = [commands.run(*export_to, *flags, environment=environment) for flags in ([], [], ["--force"])]

    assert [done.returncode for done in runs] == [0, 2, 0], runs
    assert (runs[0].stderr, runs[2].stderr) == ("", "")
    assert len(file.read_text().splitlines()) == len(rows)


def test_the_command_rebuilds_current_state(database: str, rows: list[Row], superuser: psycopg.Connection) -> None:
    """And finds it equal to the events afterwards, in the same run."""
    superuser.execute("UPDATE blocks SET band = 'x'")
    environment = {**os.environ, "GUARD_POSTGRES__URL": database}
    runs = [
        commands.run("ledger", "rebuild-views", *flags, environment=environment)
        for flags in (["--check"], [], ["--check"])
    ]

    assert [done.returncode for done in runs] == [1, 0, 0], runs
    assert rows


def read_back(file: Path, format_: Format) -> list[dict[str, str]]:
    if format_ == "csv":
        return list(csv.DictReader(file.read_text().splitlines()))
    if format_ == "jsonl":
        return [json.loads(line) for line in file.read_text().splitlines()]
    return parquet.read_table(file).to_pylist()


def test_postgres_prints_rows_as_they_were_hashed(auditor: Engine, sink: Engine) -> None:
    """Odd texts included: quotes, controls, other scripts, the end of Unicode."""
    odd = 'q"\\ \x7f \t \n ünï 漢字 \u2028 \U0001f600 </script>'
    made = [
        replace(r, tenant=odd, plugin_id=odd, reason="")
        for r in rows_of(list(story(1)))
        if r.topic == "compat.blocks"
    ]
    commit(started(sink, made), made)

    with reading(auditor) as connection:
        stretch = read_chain(connection, ("compat.blocks", 0), (), Window())
        read = [row.canonical for row in read_rows(connection, stretch)]
    assert read == [canonical_row(row) for row in made]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.randoms(use_true_random=False), size=st.integers(1, 40))
def test_views_equal_the_events_whatever_came_first(
    database: str, maintenance: Engine, order: object, size: int
) -> None:
    """Topics arrive in any order, in batches of any size: current state is a function of the events alone."""
    engine = connect(database, "guard_sink")
    with engine.connect() as connection:
        taken = connection.execute(text("SELECT count(*) FROM ledger.ledger_events")).scalar_one()
    offset = int(taken)
    made = rows_of([s for n in range(offset, offset + 4) for s in story(n)], start=offset)
    topics = sorted({row.topic for row in made})
    getattr(order, "shuffle")(topics)  # noqa: B009 - hypothesis' Random has no public type
    shuffled = [row for topic in topics for row in made if row.topic == topic]
    transaction = started(engine, made)
    for start in range(0, len(shuffled), size):
        commit(transaction, shuffled[start : start + size])
    engine.dispose()

    with writing(maintenance) as connection:
        assert views.compare(connection) == []


def test_views_are_compared_while_the_sink_works(rows: list[Row], sink: Engine, maintenance: Engine) -> None:
    """What is committed between two looks at the ledger is no difference."""
    again = rows_of([s for n in range(100, 103) for s in story(n)], start=len(rows))
    with frozen(maintenance) as connection:
        connection.execute(text("SELECT count(*) FROM ledger.requests"))
        commit(started(sink, again), again)
        assert views.compare(connection) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_changed_view_is_found_and_rebuilt(
    rows: list[Row], maintenance: Engine, superuser: psycopg.Connection, table: str
) -> None:
    """Current state can be lost without losing anything."""
    superuser.execute(
        f"UPDATE {table} SET {'outcome' if table in ('executions', 'asked') else 'band'} = 'x'".encode()
    )

    with writing(maintenance) as connection:
        assert [found.table for found in views.compare(connection)] == [table]
    with writing(maintenance) as connection:
        views.rebuild(connection)
    with writing(maintenance) as connection:
        assert views.compare(connection) == []


def test_measures_are_taken_from_the_events(auditor: Engine, rows: list[Row]) -> None:
    """Three cases: all decided, all logged, all monitored. Six blocks of thirty requests come beside."""
    now = datetime.now(UTC)
    with reading(auditor) as connection:
        taken = measures.take(connection, now - timedelta(days=1), now + timedelta(days=1))

    assert taken["decisions_within_24h"]["share"] == taken["blocks_logged"]["share"] == 1.0
    assert taken["executions_monitored"] == {"share": 1.0, "executions": 3}
    assert taken["blocks"] == {"blocks": 9}
    assert taken["exception_pass_rate"] == {"share": 1.0, "decided": 3}
    assert taken["accuracy"] == {"share": None, "judged": 0}


def aged(days: float) -> int:
    return int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000)


def test_the_database_keeps_what_is_364_days_old(
    sink: Engine, maintenance: Engine, superuser: psycopg.Connection, tmp_path: Path
) -> None:
    """Whatever the command was told, the database judges by its own clock, and the rows stay."""
    made = rows_of(list(traffic(1)), at=aged(364))
    commit(started(sink, made), made)
    month = datetime.fromtimestamp(aged(364) / 1000, UTC).strftime("%Y_%m")
    lying = retention.Step(retention.Month(month, 2, None), "detach", "because I say so")

    with pytest.raises(SettingsInvalid, match="365 days"):
        retention.carry_out(maintenance, lying, tmp_path, "jsonl", lambda _: True)
    for statement in (f"SELECT ledger.detach_month('{month}', 'x')", f"SELECT ledger.drop_month('{month}')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="365 days"):
            superuser.execute(statement.encode())
    assert superuser.execute("SELECT count(*) FROM ledger_events").fetchone() == (len(made),)


@dataclass
class Retired:
    """A case that began 500 days ago and ended today; the month in which it began was taken out."""

    rows: list[Row]
    month: str
    manifest: Path | None


@pytest.fixture
def retired(sink: Engine, maintenance: Engine, tmp_path: Path) -> Retired:
    old = rows_of(list(story(0)), at=aged(500))
    later = {r.event_id: replace(r, appended_at=NOW) for r in old if r.topic == "compat.install-outcomes"}
    rows = [later.get(row.event_id, row) for row in [*old, *rows_of(list(story(1)), start=10)]]
    anchors: list[dict[str, Any]] = []

    def anchored(committed: Committed) -> None:
        for at, head in committed.heads.items():
            anchors.append(anchor(*at, head, committed.positions[at], aged(499.9), KEYS.anchors[-1]).record())

    transaction = started(sink, rows, anchored)
    commit(transaction, [row for row in rows if row.appended_at < NOW])
    commit(transaction, [row for row in rows if row.appended_at >= NOW])
    filed = anchor_rows(anchors)
    commit(started(sink, filed), filed)
    return Retired(rows, *retire(maintenance, tmp_path))


def retire(maintenance: Engine, folder: Path) -> tuple[str, Path | None]:
    """Take out the first month that may leave; it must be whole."""

    def whole(month: retention.Month) -> bool:
        window = Window(until=int(month.end.timestamp() * 1000))
        with reading(maintenance) as connection:
            return not verify_all(connection, (), KEYS.public, window).found

    step = next(step for step in steps(maintenance) if step.action == "detach")
    return step.month.name, retention.carry_out(maintenance, step, folder, "jsonl", whole)


def steps(maintenance: Engine) -> list[retention.Step]:
    with reading(maintenance) as connection:
        return retention.plan(retention.months(connection), datetime.now(UTC), 0)


def test_an_old_month_leaves_and_the_chains_still_hold(
    retired: Retired, maintenance: Engine, superuser: psycopg.Connection, tmp_path: Path
) -> None:
    """Exported, detached, and a week later dropped; what stays can be verified from there on."""
    assert retired.manifest is not None
    assert json.loads(retired.manifest.read_text())["rows"] > 0
    with reading(maintenance) as connection:
        found = verify_all(connection, (), KEYS.public, Window())
    assert found.found == []
    assert found.rows > 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="7 days"):
        superuser.execute(f"SELECT ledger.drop_month('{retired.month}')".encode())
    superuser.execute("UPDATE retired_months SET detached_at = now() - interval '8 days'")
    leaving = next(step for step in steps(maintenance) if step.action == "drop")
    retention.carry_out(maintenance, leaving, tmp_path, "jsonl", lambda _: True)
    assert superuser.execute("SELECT to_regclass(%s)", (f"ledger_events_{retired.month}",)).fetchone() == (None,)


def test_current_state_outlives_the_events_that_left(
    retired: Retired, maintenance: Engine, superuser: psycopg.Connection
) -> None:
    """What they decided stands, also in a row that later events went on with, and through a rebuild."""
    before = {table: superuser.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall() for table in TABLES}
    with frozen(maintenance) as connection:
        assert views.compare(connection) == []
        views.rebuild(connection)

    for table, was in before.items():
        assert superuser.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall() == was
    superuser.execute("UPDATE executions SET outcome = 'x'")
    with frozen(maintenance) as connection:
        assert [found.table for found in views.compare(connection)] == ["executions"]
    assert retired.rows


def test_a_record_that_outlives_its_row_is_no_difference(retired: Retired, maintenance: Engine) -> None:
    """A compacted topic keeps the newest record of each key for ever."""
    with reading(maintenance) as connection:
        comparison = Comparison(filed(connection, "compat.exception-decisions", {}), compacted=True)
    record = Inbound("compat.exception-decisions", 0, 0, NOW, b"", b"x")

    assert list(comparison.compare(record)) == []
    assert retired.rows


@pytest.mark.parametrize("statement", ["UPDATE {0} SET code = 'x'", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_a_month_that_rests_is_not_changed(retired: Retired, superuser: psycopg.Connection, statement: str) -> None:
    """What was taken out may be wanted back."""
    superuser.execute("SET ROLE guard_owner")
    for table in ("event_findings", "ledger_events"):
        changed = statement.format(f"{table}_{retired.month}")
        changed = changed if table == "event_findings" else changed.replace("code", "tenant")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            superuser.execute(changed.encode())


def test_a_month_that_was_never_anchored_does_not_leave(sink: Engine, maintenance: Engine, tmp_path: Path) -> None:
    """Nothing would prove later that its rows were a year old."""
    rows = rows_of(list(traffic(0)), at=aged(500))
    commit(started(sink, rows), rows)

    with pytest.raises(SettingsInvalid, match="no anchor that is 365 days old"):
        retire(maintenance, tmp_path)


def test_a_month_that_is_not_whole_does_not_leave(sink: Engine, maintenance: Engine, tmp_path: Path) -> None:
    """Evidence of tampering is kept."""
    step = retention.Step(retention.Month("2024_01", 1, None), "detach", "")

    with pytest.raises(SettingsInvalid, match="not complete"):
        retention.carry_out(maintenance, step, tmp_path, "jsonl", lambda _: False)


def test_nobody_listens_is_an_outage() -> None:
    """A wrong port is no traceback."""
    engine = connect("postgresql+psycopg://guard:x@127.0.0.1:1/guard", "guard_auditor")

    with pytest.raises(DatabaseUnavailable), reading(engine):
        pass
    assert START > 0


def test_a_database_without_a_ledger_says_how_to_make_one(stack: Addresses) -> None:
    """No traceback about a relation: the command that helps."""
    elsewhere = make_url(stack.postgres).set(database="postgres").render_as_string(hide_password=False)
    engine = connect(elsewhere, "guard_auditor")

    with pytest.raises(SettingsInvalid, match="ledger migrate"), reading(engine) as connection:
        queries.search(connection, Wanted())
    engine.dispose()


def test_a_query_that_takes_too_long_is_ended(auditor: Engine) -> None:
    with pytest.raises(QueryTooLong, match=r"within 0\.1 s"), reading(auditor, 0.1) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    with reading(auditor, 5) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
