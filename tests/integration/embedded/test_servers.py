"""The three servers do what the guard needs of them."""

from __future__ import annotations

import psycopg
import pytest

from processors.embedded import Addresses
from tests.integration.embedded.clients import a_name, a_producer, a_schema, a_topic, read_committed, register

pytestmark = pytest.mark.stack


def test_only_committed_records_are_read(stack: Addresses) -> None:
    """What an aborted transaction wrote is never seen by a read_committed consumer."""
    topic = a_topic(stack.bootstrap)
    producer = a_producer(stack.bootstrap, **{"transactional.id": a_name("writer")})
    producer.init_transactions(20)
    for value, end in [(b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)]:
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(20)
        end()

    assert read_committed(stack.bootstrap, topic, 1) == [b"committed"]


def test_a_topic_is_not_created_by_writing_to_it(stack: Addresses) -> None:
    """A misspelt topic is an error of the writer, not another topic."""
    name = a_name("misspelt")
    producer = a_producer(stack.bootstrap, **{"message.timeout.ms": "2000"})
    delivered: list[bool] = []
    producer.produce(name, b"x", on_delivery=lambda error, _: delivered.append(error is None))
    producer.flush(20)

    assert delivered == [False]
    assert name not in producer.list_topics(timeout=10).topics


def test_an_incompatible_schema_is_refused(stack: Addresses) -> None:
    """Every subject is FULL_TRANSITIVE from the start: a field without default may not be added."""
    subject = a_name("subject")

    assert register(stack.registry, subject, a_schema(("a", "string"))).status_code == 200
    assert register(stack.registry, subject, a_schema(("a", "string"), ("b", "string"))).status_code == 409


def test_postgres_lets_in_who_has_the_password(stack: Addresses) -> None:
    """The address carries everything that a client needs."""
    with psycopg.connect(stack.postgres.replace("+psycopg", "")) as connection:
        row = connection.execute("select 1, current_setting('server_version_num')::int / 10000").fetchone()

    assert row == (1, 18)


def test_postgres_refuses_a_wrong_password(stack: Addresses) -> None:
    """Other users of the machine reach the port, but not the data."""
    user_and_password, _, place = stack.postgres.replace("+psycopg", "").rpartition("@")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{user_and_password}x@{place}").close()
