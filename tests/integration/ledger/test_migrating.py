"""Who may make a ledger: also a login of a managed server, which is never a superuser."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from processors.embedded import Addresses
from processors.errors import DatabaseUnavailable, SettingsInvalid
from processors.ledger.database import connect, make_roles, migrate, reading, require_migrated
from processors.ledger.reading import Window, chains
from processors.ledger.roles import ROLES

pytestmark = pytest.mark.stack

Login = Callable[[str], str]


@pytest.fixture
def login(stack: Addresses) -> Iterator[Login]:
    """Makes a login with the given rights and an empty database of its own; answers with the URL of both."""
    name = f"managed_{uuid.uuid4().hex[:12]}"
    admin = make_url(stack.postgres)
    plain = admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:

        def made(rights: str) -> str:
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' {rights}".encode())
            connection.execute(f"CREATE DATABASE {name} OWNER {name}".encode())
            return admin.set(database=name, username=name, password="x").render_as_string(hide_password=False)

        yield made
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"DROP ROLE IF EXISTS {name}".encode())


def test_a_login_that_makes_the_roles_need_be_no_superuser(login: Login, superuser: psycopg.Connection) -> None:
    """Whoever makes a role may pass it on and, since PostgreSQL 16, not become it. Twice changes nothing."""
    url = login("CREATEROLE")
    name = make_url(url).username
    for role in ROLES:
        superuser.execute(f"GRANT {role} TO {name} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE".encode())

    migrate(url)
    migrate(url)

    engine = connect(url, "guard_auditor")
    with pytest.raises(SettingsInvalid, match=f"GRANT guard_auditor TO {name}"), reading(engine):
        pass
    superuser.execute(f"GRANT guard_auditor TO {name} WITH SET TRUE".encode())
    with reading(engine) as connection:
        assert chains(connection, Window()) == []
    engine.dispose()


@pytest.mark.usefixtures("database")
def test_a_login_that_may_not_migrate_is_told_what_it_needs(login: Login) -> None:
    """The grant, instead of a traceback about a role."""
    url = login("")

    with pytest.raises(SettingsInvalid, match=f"GRANT guard_owner TO {make_url(url).username}"):
        migrate(url)


@pytest.mark.usefixtures("database")
def test_a_login_that_may_not_make_the_roles_is_told_so(login: Login) -> None:
    """Before a dump is restored, in whichever database."""
    url = login("")

    with pytest.raises(SettingsInvalid, match=f"GRANT guard_owner TO {make_url(url).username}"):
        make_roles(make_url(url).set(database="yet_to_be_restored").render_as_string(hide_password=False))


def test_a_ledger_whose_rights_are_lost_says_so(database: str, superuser: psycopg.Connection) -> None:
    """Half of it, so that only a query notices: no traceback, to a reader or to whoever migrates."""
    superuser.execute("REVOKE USAGE ON SCHEMA ledger FROM guard_auditor")
    engine = connect(database, "guard_auditor")
    told = r"permission denied for schema ledger; .*ledger migrate"
    with pytest.raises(SettingsInvalid, match=told), reading(engine) as connection:
        chains(connection, Window())
    engine.dispose()

    superuser.execute("REVOKE ALL ON migrations FROM guard_owner")
    with pytest.raises(SettingsInvalid, match=r"permission denied for table migrations: .*drop it"):
        migrate(database)


def test_a_migration_does_not_wait_behind_others_without_a_word(
    database: str, superuser: psycopg.Connection
) -> None:
    """The sink would wait behind it. Whoever migrates is told who holds the tables, and how to go on."""
    with superuser.transaction():
        superuser.execute("LOCK TABLE migrations")
        holder = f"nothing was migrated.*: {superuser.info.backend_pid} of `{superuser.info.user}`;.*terminate"
        with pytest.raises(DatabaseUnavailable, match=holder):
            migrate(database)

    migrate(database)


def test_a_sink_without_tables_says_so_at_once(bare: str) -> None:
    """A restart would not help, so it is no error that a supervisor should answer with one."""
    engine = connect(bare, "guard_sink")

    with pytest.raises(SettingsInvalid, match="ledger migrate"):
        require_migrated(engine)
    engine.dispose()


def test_a_sink_does_not_mind_at_its_start_that_postgres_is_away() -> None:
    """It waits for it in its loop."""
    engine = connect("postgresql+psycopg://guard:x@127.0.0.1:1/guard", "guard_sink")

    require_migrated(engine)
    engine.dispose()
