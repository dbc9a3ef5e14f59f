"""Shared by the ledger's commands: the database under the right role, keys, and anchors from their topic."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
from joserfc.jwk import KeySet
from sqlalchemy import Engine

from processors.bootstrap.clients import codec, stream_settings
from processors.configuration.settings import settings
from processors.errors import EventUnreadable, NamesUnreadable, SettingsInvalid
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchors import Noted
from processors.ledger.database import connect, reading
from processors.ledger.keys import read_keys, read_public
from processors.ledger.patience import patient
from processors.ledger.reading import SKEW
from processors.ledger.roles import Role
from processors.ledger.texts import refuse_unkept
from processors.ledger.whole import WITHIN, Newest, newest_since, verify_newest
from processors.stream.io.follow import Follower

_PSEUDONYM: Final = re.compile(r"[^:\s]+:[0-9a-f]{32}")

_log = structlog.get_logger(__name__)


@contextmanager
def database(role: Role) -> Generator[Engine]:
    engine = connect(settings().postgres.url.get_secret_value(), role)
    try:
        yield engine
    finally:
        engine.dispose()


def public_keys(path: Path | None) -> KeySet:
    """From this JWKS, else from that of the settings, else the public half of the ledger's own keys.

    Raises SettingsInvalid if there is none of them.
    """
    of = settings().ledger
    if (jwks := path or of.public_keys) is not None:
        return read_public(jwks)
    if not of.keys.exists():
        raise SettingsInvalid(
            "there are no keys to verify anchors with; let GUARD_LEDGER__PUBLIC_KEYS name a file of what "
            "`compat-guard ledger keys --public` prints where the ledger's keys are"
        )
    return read_keys(of.keys).public


def names_of(person: str | None) -> Sequence[str] | None:
    """The names that a person may have in the ledger; a pseudonym stands for itself.

    Raises TextRefused, and NamesUnreadable for a name where the ledger's keys are missing.
    """
    if person is None:
        return None
    refuse_unkept(person)
    if _PSEUDONYM.fullmatch(person):  # also under a key that is lost
        return [person]
    if not settings().ledger.keys.exists():
        raise NamesUnreadable(
            "a name is found by its pseudonym, and the ledger's keys that make one are not here; search for the "
            "pseudonym, such as `k1:3f2a...`, or with `compat-guard ledger search` where GUARD_LEDGER__KEYS are"
        )
    return read_keys(settings().ledger.keys).pseudonyms.pseudonyms(person)


def published_anchors(since: int | None = None) -> list[Noted]:
    """The anchors on their topic, oldest first: all, or those that came since a time in milliseconds.

    Raises BrokerUnavailable, RegistryUnavailable, and AccessDenied if they may not be read.
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
        with patient(WITHIN), reading(engine) as connection:
            left = max(0.0, until - time.monotonic())
            return verify_newest(connection, published, public_keys(None), since, left)
