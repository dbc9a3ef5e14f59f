from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from processors.embedded import Addresses
from processors.ledger.database import connect, migrate


@contextmanager
def own_database(stack: Addresses, template: str = "template1") -> Iterator[str]:
    """The URL of a database of one's own, a copy of the template, to which nobody may be connected."""
    name = f"ledger_{uuid.uuid4().hex[:12]}"
    admin = make_url(stack.postgres)
    plain = admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        try:
            yield admin.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def bare(stack: Addresses) -> Iterator[str]:
    """The URL of a database of the test's own, in which nothing is yet."""
    with own_database(stack) as url:
        yield url


@pytest.fixture(scope="session")
def migrated(stack: Addresses) -> Iterator[str]:
    """The name of a ledger that was migrated, and stays empty: to copy it takes half of the time of migrating."""
    with own_database(stack) as url:
        migrate(url)
        yield str(make_url(url).database)


@pytest.fixture
def database(stack: Addresses, migrated: str) -> Iterator[str]:
    """The URL of a ledger of the test's own, migrated and empty."""
    with own_database(stack, migrated) as url:
        yield url


@pytest.fixture
def sink(database: str) -> Iterator[Engine]:
    """Connections as the sink has them."""
    engine = connect(database, "guard_sink")
    yield engine
    engine.dispose()


@pytest.fixture
def superuser(database: str) -> Iterator[psycopg.Connection]:
    """Somebody who may do anything, also what nobody should."""
    plain = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("SET search_path = ledger, pg_catalog")
        yield connection


@pytest.fixture
def maintenance(database: str) -> Iterator[Engine]:
    engine = connect(database, "guard_maintenance")
    yield engine
    engine.dispose()
