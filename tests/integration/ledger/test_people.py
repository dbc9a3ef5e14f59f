"""An auditor with the right role sees a name, and that look is on record; nobody else sees either."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from examples.ledgers import KEYS, rows_of
from sqlalchemy import Engine, exc

from processors.errors import SettingsInvalid
from processors.ledger.database import connect, reading
from processors.ledger.keys import new_keys
from processors.ledger.people import look, looks
from processors.ledger.samples import story
from processors.ledger.transaction import Entries, PostgresTransaction
from processors.masking.pseudonyms import PseudonymKeys

pytestmark = pytest.mark.stack

ALICE = KEYS.pseudonyms.pseudonym("alice-1@example.com")


@pytest.fixture
def filed(sink: Engine) -> None:
    """A case whose people are filed with its rows, as the sink does it."""
    rows = rows_of(list(story(1)))
    positions = {(row.topic, row.partition): row.offset + 1 for row in rows}
    people = {KEYS.pseudonyms.pseudonym(name): name for name in ("alice-1@example.com", "carol-1@example.com")}
    transaction = PostgresTransaction(sink, keys=KEYS.pseudonyms)
    transaction.committed(sorted(positions))
    transaction.begin()
    transaction.write(Entries(rows=rows, people=people), ())
    transaction.advance(positions)
    assert len(people) == 2  # until the commit, they may have to be filed again
    transaction.commit()
    assert people == {}


@pytest.fixture
def privacy(database: str) -> Iterator[Engine]:
    engine = connect(database, "guard_privacy")
    yield engine
    engine.dispose()


@pytest.fixture
def auditor(database: str) -> Iterator[Engine]:
    engine = connect(database, "guard_auditor")
    yield engine
    engine.dispose()


def test_a_look_shows_the_name_and_is_recorded(filed: None, privacy: Engine, auditor: Engine) -> None:
    with privacy.connect() as connection:
        assert look(connection, KEYS.pseudonyms, ALICE, "audit of November") == "alice-1@example.com"

    with reading(auditor) as connection:
        (on_record,) = looks(connection)
    assert (on_record.pseudonym, on_record.reason) == (ALICE, "audit of November")
    assert on_record.login


def test_a_look_at_nobody_is_recorded_too(filed: None, privacy: Engine, auditor: Engine) -> None:
    """Trying pseudonyms out leaves traces."""
    with privacy.connect() as connection, pytest.raises(SettingsInvalid, match="has no name for `k1:0`"):
        look(connection, KEYS.pseudonyms, "k1:0", "curious")

    with reading(auditor) as connection:
        assert [one.reason for one in looks(connection)] == ["curious"]


@pytest.mark.parametrize("role", ["guard_auditor", "guard_sink", "guard_maintenance"])
def test_no_other_role_may_look(filed: None, database: str, role: str) -> None:
    """Neither by the function nor at the table."""
    for query in ("SELECT ledger.look('k1:0', 'why')", "SELECT * FROM ledger.people"):
        engine = connect(database, role)  # type: ignore[arg-type]
        with engine.connect() as connection, pytest.raises(exc.ProgrammingError, match="permission denied"):
            connection.exec_driver_sql(query)
        engine.dispose()


def test_a_look_without_a_reason_is_refused(filed: None, privacy: Engine) -> None:
    with privacy.connect() as connection, pytest.raises(exc.IntegrityError, match="looks_reason_check"):
        look(connection, KEYS.pseudonyms, ALICE, "  ")


def test_the_database_alone_tells_no_name_and_forgets_no_look(
    filed: None, privacy: Engine, superuser: psycopg.Connection
) -> None:
    """Its owner has the sealed names, and no key; a look cannot be taken back."""
    with privacy.connect() as connection:
        look(connection, KEYS.pseudonyms, ALICE, "audit")
    stored = superuser.execute("SELECT sealed_name FROM people").fetchall()

    assert stored
    assert not any(b"alice" in bytes(name) or b"carol" in bytes(name) for (name,) in stored)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        superuser.execute("DELETE FROM looks")


def test_other_keys_open_nothing(filed: None, privacy: Engine) -> None:
    """Keys that replaced lost ones bear other ids; some that an older release made bear the same."""
    new = new_keys().pseudonyms
    same_id = PseudonymKeys(KEYS.pseudonyms.current, {KEYS.pseudonyms.current: new.keys[new.current]})

    for keys, told in ((new, "there is no key"), (same_id, "cannot be opened with these keys")):
        with privacy.connect() as connection, pytest.raises(SettingsInvalid, match=told):
            look(connection, keys, ALICE, "audit")
