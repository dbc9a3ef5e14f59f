"""Shared by the ledger's commands: the database under the right role, keys, and anchors from their topic."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog
from joserfc.jwk import KeySet
from sqlalchemy import Engine

from processors.bootstrap.clients import codec, stream_settings
from processors.configuration.settings import settings
from processors.errors import EventUnreadable
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchors import Noted
from processors.ledger.database import Role, connect, reading
from processors.ledger.keys import read_keys, read_public
from processors.ledger.reading import SKEW
from processors.ledger.texts import refuse_unkept
from processors.ledger.whole import WITHIN, Newest, newest_since, verify_newest
from processors.stream.io.follow import Follower

_log = structlog.get_logger(__name__)


@contextmanager
def database(role: Role) -> Generator[Engine]:
    engine = connect(settings().postgres.url.get_secret_value(), role)
    try:
        yield engine
    finally:
        engine.dispose()


def public_keys(path: Path | None) -> KeySet:
    """From a JWKS, or the public half of the ledger's own keys."""
    return read_public(path) if path is not None else read_keys(settings().ledger.keys).public


def names_of(person: str | None) -> Sequence[str] | None:
    """The names that a person may have in the ledger; a pseudonym stands for itself. Raises TextRefused."""
    if person is None:
        return None
    refuse_unkept(person)
    keys = read_keys(settings().ledger.keys).pseudonyms
    key_id, _, digest = person.partition(":")
    return [person] if key_id in keys.keys and len(digest) == 32 else keys.pseudonyms(person)


def published_anchors(since: int | None = None) -> list[Noted]:
    """The anchors on their topic, oldest first: all, or those that came since a time in milliseconds.

    Raises BrokerUnavailable, RegistryUnavailable.
    """
    anchors: list[Noted] = []
    with codec(settings()) as events:
        decode = events.decoder(LEDGER_ANCHORS, "LedgerAnchored")
        follower = Follower(stream_settings(settings()), "ledger-anchors", brief=True)
        try:
            if since is None:
                follower.from_beginning([LEDGER_ANCHORS])
            else:
                follower.from_time([LEDGER_ANCHORS], max(0, since))
            for record in follower.read():
                try:
                    anchors.append(Noted(record.offset, decode(record.value)))
                except EventUnreadable as error:
                    _log.warning("an anchor cannot be read", offset=record.offset, message=str(error))
        finally:
            follower.close()
    return anchors


def verified_lately() -> Newest:
    """The newest rows verified by the anchors that have come since, for whoever waits for it.

    Raises Unavailable where a server does not answer, and SettingsInvalid where nothing is migrated.
    """
    until = time.monotonic() + WITHIN
    with database("guard_auditor") as engine:
        with reading(engine, WITHIN) as connection:
            since = newest_since(connection)
        published = published_anchors(None if since is None else since - SKEW)
        with reading(engine) as connection:
            left = max(0.0, until - time.monotonic())
            return verify_newest(connection, published, public_keys(None), since, left)
