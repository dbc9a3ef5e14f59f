"""A database that says nothing is given up within the time that whoever waits for it promises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from examples.ledgers import commit, rows_of, started
from examples.silence import Silence, silence
from sqlalchemy import Engine, make_url, text

from processors.errors import DatabaseUnavailable
from processors.ledger.database import connect, reading
from processors.ledger.patience import CONNECTING, DEFAULTS, patient
from processors.ledger.roles import Role
from processors.ledger.samples import traffic
from processors.ledger.whole import verify_newest
from processors.stream.loop.health import CALLING

pytestmark = pytest.mark.stack

EngineOf = Callable[[str, Role], Engine]

ROWS = rows_of(list(traffic(1)))
NOT_AT_ONCE = 3.0
"""Seconds that a machine with much to do may take beyond a limit."""


@pytest.fixture
def engine_of() -> Iterator[EngineOf]:
    """Engines that are disposed of in the end."""
    with ExitStack() as closing:

        def made(url: str, role: Role) -> Engine:
            engine = connect(url, role)
            closing.callback(engine.dispose)
            return engine

        yield made


@pytest.fixture
def way(database: str) -> Iterator[Silence]:
    with silence(database) as way:
        yield way


def seconds_until_unavailable(ask: Callable[[], None]) -> float:
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        ask()
    return time.monotonic() - began


def test_a_server_that_accepts_and_says_nothing_is_given_up(
    engine_of: EngineOf, way: Silence, database: str
) -> None:
    """It took a command over two minutes."""
    way.fallen.set()
    engine = engine_of(way.to(database), "guard_auditor")

    def ask() -> None:
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))

    assert seconds_until_unavailable(ask) < CONNECTING + NOT_AT_ONCE


def test_whoever_waits_for_less_has_the_connection_attempt_end_sooner(
    engine_of: EngineOf, way: Silence, database: str
) -> None:
    """A gateway answers within three seconds, whichever step the server is silent at."""
    way.fallen.set()
    engine = engine_of(way.to(database), "guard_auditor")

    def ask() -> None:
        with reading(engine, 2.0):
            pass

    assert seconds_until_unavailable(ask) < 2.0 + 2.0


def test_a_server_that_falls_silent_in_a_query_is_given_up(
    engine_of: EngineOf, way: Silence, database: str
) -> None:
    """No limit on the server helps against that, and the kernel of a proxy in between confirms every packet."""
    engine = engine_of(way.to(database), "guard_auditor")

    def ask() -> None:
        with reading(engine, 1.0) as connection:
            connection.execute(text("SELECT 1"))
            way.fallen.set()
            connection.execute(text("SELECT 1"))

    assert seconds_until_unavailable(ask) < 2.0 + NOT_AT_ONCE
    way.fallen.clear()
    with reading(engine, 5.0) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1  # over a new connection


def test_a_verification_of_the_console_ends_before_a_silent_server(
    engine_of: EngineOf, way: Silence, database: str
) -> None:
    """It has its queries cancelled when its time is over, which a silent server does not hear either."""
    engine = engine_of(way.to(database), "guard_auditor")

    def ask() -> None:
        with patient(1.0), reading(engine) as connection:
            way.fallen.set()
            verify_newest(connection, (), None, None, 0.5)  # type: ignore[arg-type] - no anchor, so no key

    assert seconds_until_unavailable(ask) < 1.0 + 1.0 + 5.0 + NOT_AT_ONCE


def test_a_sink_gives_up_before_its_watchdog_ends_it(
    engine_of: EngineOf, way: Silence, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And files the same rows when the database speaks again."""
    monkeypatch.setattr("processors.ledger.database.ANSWERING", 2.0)
    engine = engine_of(way.to(database), "guard_sink")
    transaction = started(engine, ROWS)
    way.fallen.set()

    def file() -> None:
        commit(transaction, ROWS)

    assert seconds_until_unavailable(file) < CALLING / 2
    transaction.abort()
    way.fallen.clear()
    commit(transaction, ROWS)

    with reading(engine) as connection:
        query = text("SELECT count(*) FROM ledger.ledger_events")
        assert connection.execute(query).scalar_one() == len(ROWS)


def test_a_statement_that_a_sink_waits_for_ends_on_the_server(
    engine_of: EngineOf, database: str, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One behind a lock would stay in the queue when its client has gone, and each attempt would add another."""
    monkeypatch.setattr("processors.ledger.database.ANSWERING", 2.0)
    transaction = started(engine_of(database, "guard_sink"), ROWS)
    with superuser.transaction():
        superuser.execute("LOCK TABLE chain_head")
        with pytest.raises(DatabaseUnavailable, match="statement timeout"):
            commit(transaction, ROWS)
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'chain_head'::regclass"
        assert superuser.execute(query).fetchone() == (0,)
    transaction.abort()
    commit(transaction, ROWS)


def test_what_the_url_says_of_its_client_is_respected(engine_of: EngineOf, database: str) -> None:
    """An administrator whose network needs more has it."""
    url = make_url(database).update_query_dict({"tcp_user_timeout": "42000", "connect_timeout": "77"})
    engine = engine_of(url.render_as_string(hide_password=False), "guard_auditor")
    with patient(2.0), engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        found = {option.keyword.decode(): (option.val or b"").decode() for option in driver.pgconn.info}
    wanted = {name: str(value) for name, value in DEFAULTS.items()}
    assert wanted | {"tcp_user_timeout": "42000", "connect_timeout": "77"} == {name: found[name] for name in wanted}
