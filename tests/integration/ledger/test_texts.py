"""No question reaches Postgres with a text that it does not take: it is refused as the question that it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from examples.ledgers import KEYS
from sqlalchemy import Connection

from processors.errors import TextRefused
from processors.ledger import people, queries
from processors.ledger.database import connect, database_errors, reading
from processors.ledger.export import export
from processors.ledger.queries import Wanted
from processors.ledger.reading import prove_event

pytestmark = pytest.mark.stack

QUESTIONS: dict[str, Callable[[Connection, str], object]] = {
    "search": lambda connection, text: queries.search(connection, Wanted(plugin_id=text)),
    "search for people": lambda connection, text: queries.search(connection, Wanted(approver=["carol", text])),
    "count": lambda connection, text: queries.count(connection, Wanted(tenant=text)),
    "every": lambda connection, text: list(queries.every(connection, Wanted(exception_id=text))),
    "story": queries.story,
    "export": lambda connection, text: export(
        connection, Wanted(plugin_id=text), Path("never.jsonl"), "jsonl", lambda _: None
    ),
    "proof": lambda connection, text: prove_event(connection, text, [], KEYS.public),
}


@pytest.mark.parametrize("text", ["com.acme\0", "com.acme\udcff"], ids=["NUL", "half a pair"])
@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_a_text_that_postgres_does_not_take_is_refused(
    database: str, ask: Callable[[Connection, str], object], text: str
) -> None:
    engine = connect(database, "guard_auditor")
    with reading(engine) as connection, pytest.raises(TextRefused, match=r"`com\.acme�`"):
        ask(connection, text)
    engine.dispose()


def test_so_is_a_reason_for_looking_at_a_name(database: str) -> None:
    engine = connect(database, "guard_privacy")
    with database_errors(), engine.connect() as connection, pytest.raises(TextRefused):
        people.look(connection, KEYS.pseudonyms, "k1:" + "0" * 32, "asked by the police\0")
    engine.dispose()
