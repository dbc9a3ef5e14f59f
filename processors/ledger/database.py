"""The ledger's database: connections with the least privileges, migrations, and Postgres' errors as ours."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL, make_url

from processors.errors import DatabaseUnavailable, QueryTooLong, SettingsInvalid
from processors.ledger.patience import ANSWERING, CONNECTING, opened, patient, unset
from processors.ledger.roles import AFRESH, Role, prepare, prepare_roles, without_right
from processors.ledger.texts import refuse_unkept

_MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str, role: Role | None) -> Engine:
    """Connections that act as `role` only, whichever login they use. The login must be a member of it.

    None keeps the login's own rights, which only a migration needs. No connection is opened yet. A statement with a
    text that Postgres does not take raises TextRefused. A server that is gone is noticed in time, see
    `ledger.patience`; the sink also gives up one that is there and does not answer.
    """
    parsed = _checked(url)
    answering = ANSWERING if role == "guard_sink" else None
    arguments = {"prepare_threshold": None, **unset(parsed)}
    engine = create_engine(parsed, pool_size=2, max_overflow=2, pool_pre_ping=False, connect_args=arguments)

    @event.listens_for(engine, "do_connect")
    def opening(*asked: Any) -> Any:  # pyright: ignore[reportUnusedFunction] - registered above
        return opened(parsed, asked[3], answering)  # its keyword arguments; psycopg has no others

    @event.listens_for(engine, "begin")
    def settle(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - registered above
        _settle(connection, role, answering)

    @event.listens_for(engine, "before_cursor_execute")
    def look(*statement: Any) -> None:  # pyright: ignore[reportUnusedFunction] - registered above
        refuse_unkept(statement[3])  # its parameters

    return engine


def _settle(connection: Connection, role: Role | None, answering: float | None) -> None:
    """Set role, search path, time zone and the longest statement for this transaction alone.

    A pooler in transaction mode gives the server connection to another client at each commit: session settings and
    prepared statements would leak to it. The server has to give up before its client does: a statement that nobody
    waits for any more would keep its connection and its place in the queue for a lock.
    """
    become = f"SET LOCAL ROLE {role}; " if role is not None else ""
    bound = f"; SET LOCAL statement_timeout = {answering * 800:.0f}" if answering is not None else ""
    try:
        connection.exec_driver_sql(
            f"{become}SET LOCAL timezone = 'UTC'; SET LOCAL search_path = ledger, pg_catalog{bound}"
        )
    except exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        login = connection.engine.url.username
        raise SettingsInvalid(
            f"login `{login}` may not act as {role}; an administrator has to `GRANT {role} TO {login}`"
        ) from None


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise SettingsInvalid(
            "GUARD_POSTGRES__URL is not a database URL; expected postgresql+psycopg://..."
        ) from None
    if parsed.get_backend_name() != "postgresql":
        raise SettingsInvalid(
            f"GUARD_POSTGRES__URL is for `{parsed.get_backend_name()}`; expected postgresql+psycopg"
        )
    return parsed.set(drivername="postgresql+psycopg")


@contextmanager
def database_errors() -> Generator[None]:
    """Converts errors: DatabaseUnavailable to try again, SettingsInvalid if tables or rights are missing.

    Other errors, such as a row that Postgres refuses, are left to the caller.
    """
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        raise DatabaseUnavailable(f"postgres does not serve: {_first_line(error.__cause__ or error)}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailable(f"postgres does not serve: {_first_line(error)}") from error
    except (exc.DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        if isinstance(cause, _UNMIGRATED):
            raise SettingsInvalid(f"{_first_line(cause)}; run `compat-guard ledger migrate`") from error
        if isinstance(cause, psycopg.Error) and without_right(cause):
            raise SettingsInvalid(
                f"{_first_line(cause)}; `compat-guard ledger migrate` says what is wrong with the database"
            ) from error
        raise


_UNMIGRATED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InvalidParameterValue,  # the role of SET ROLE
)


def _first_line(error: BaseException) -> str:
    """Postgres puts the row's values into later lines, and they must not be logged."""
    return str(error).partition("\n")[0][:200]


@contextmanager
def reading(engine: Engine, within: float | None = None) -> Generator[Connection]:
    """A connection with one consistent snapshot of the database. Raises DatabaseUnavailable.

    `within` bounds each statement, in seconds; one that takes longer raises QueryTooLong. It also bounds the wait
    for a server that is silent.
    """
    with patient(within), database_errors(), engine.connect() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        if within is not None:
            limit = {"within": f"{within * 1000:.0f}"}
            connection.execute(text("SELECT set_config('statement_timeout', :within, true)"), limit)
        try:
            yield connection
        except (exc.OperationalError, psycopg.OperationalError) as error:
            if within is None or not is_cancelled(error):
                raise
            raise QueryTooLong(f"the ledger did not answer within {within:g} s") from error


def is_cancelled(error: exc.OperationalError | psycopg.OperationalError) -> bool:
    """Whether Postgres ended the statement because it took too long, or was told to."""
    return isinstance(getattr(error, "orig", error), psycopg.errors.QueryCanceled)


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """A connection in a transaction that is committed at the end. Raises DatabaseUnavailable."""
    with database_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def frozen(engine: Engine) -> Generator[Connection]:
    """As `writing`, with one consistent snapshot of the database. Raises DatabaseUnavailable."""
    with writing(engine) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        yield connection


def cursor_of(connection: Connection) -> psycopg.Cursor[Any]:
    """The driver's cursor inside SQLAlchemy's transaction: COPY and arrays need the driver."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection).cursor()


def migrate(url: str) -> None:
    """Bring the database up to date: roles, tables, functions, grants, and the coming months. Idempotent.

    The login must be able to create missing roles, and schemas in the database. Nothing is changed if it fails.
    Raises DatabaseUnavailable, also if others hold the tables, and SettingsInvalid if the login may not.
    """
    engine = connect(url, None)
    try:
        with writing(engine) as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('compat-guard migrations'))"))
            prepare(connection)
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            connection.execute(text("SET LOCAL ROLE guard_owner"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCKING}s'"))
            with _explained(engine):
                command.upgrade(config, "head")
                ensure_months(connection)
    finally:
        engine.dispose()


LOCKING: Final = 5
"""Seconds that a migration waits for a table. Whoever comes after it, the sink too, waits behind it."""


@contextmanager
def _explained(engine: Engine) -> Generator[None]:
    """What a migration cannot help, with the way out."""
    try:
        yield
    except exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.Error) or not without_right(error.orig):
            raise
        raise SettingsInvalid(
            f"{_first_line(error.orig)}: not all of the ledger belongs to guard_owner; {AFRESH}"
        ) from error
    except exc.OperationalError as error:
        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        with engine.connect() as connection:
            found = connection.execute(text(_HOLDERS)).all()
        who = ", ".join(f"{pid} of `{login}`" for pid, login in found) or "which have ended"
        raise DatabaseUnavailable(
            f"nothing was migrated: other sessions hold the tables for longer than {LOCKING} s, and the sink would "
            f"have had to wait as well. Sessions: {who}; wait for them, or end one by `SELECT "
            "pg_terminate_backend(PID)`, and migrate again"
        ) from error


_HOLDERS: Final = (
    "SELECT DISTINCT l.pid, coalesce(a.usename, '?') FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
    "LEFT JOIN pg_stat_activity a USING (pid) "
    "WHERE c.relnamespace = to_regnamespace('ledger') AND l.granted AND l.pid <> pg_backend_pid() "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1"
)


def make_roles(url: str) -> None:
    """Create the roles on a server whose ledger is yet to be restored. Idempotent.

    Connects to the server's database `postgres`, whichever database the URL names. Raises DatabaseUnavailable, and
    SettingsInvalid if the login may not.
    """
    engine = connect(_checked(url).set(database="postgres").render_as_string(hide_password=False), None)
    try:
        with writing(engine) as connection:
            prepare_roles(connection)
    finally:
        engine.dispose()


def head() -> str:
    """The migration to which this version of the guard brings a database."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head() or ""


def revision(connection: Connection) -> str | None:
    """The migration of the database; None if there was none."""
    return connection.execute(text("SELECT max(version_num) FROM ledger.migrations")).scalar_one()


def require_migrated(engine: Engine) -> None:
    """Raises SettingsInvalid if the newest table is missing: a restart would not create it.

    If Postgres is unavailable, the loop waits for it.
    """
    with suppress(DatabaseUnavailable), patient(CONNECTING), reading(engine) as connection:
        connection.execute(text("SELECT FROM ledger.losses LIMIT 0"))


MONTHS_AHEAD: Final = 3


def ensure_month(connection: Connection, instant: datetime) -> None:
    """Create the partition of the month of an instant, if it is missing."""
    connection.execute(text("SELECT ledger.ensure_month(:instant)"), {"instant": instant})


def ensure_months(connection: Connection, ahead: int = MONTHS_AHEAD) -> None:
    """Create the partitions of this month and of the coming ones."""
    connection.execute(
        text(
            "SELECT ledger.ensure_month(date_trunc('month', now()) + make_interval(months => n)) "
            "FROM generate_series(0, :ahead) AS n"
        ),
        {"ahead": ahead},
    )
