"""The names behind pseudonyms: stored encrypted, decrypted for authorised logins, and each look recorded.

The database has no key, so its owner learns no name. Nor does anybody who has the keys but not the right to look.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, text

from processors.errors import SettingsInvalid, shorten
from processors.ledger.filing import Cursor
from processors.masking.pseudonyms import PseudonymKeys

_NONCE: Final = 12
"""Bytes, as AES-GCM has them."""


class Look(NamedTuple):
    """A recorded look at a name: when (milliseconds), by which login, at which pseudonym, and why."""

    at: int
    login: str
    pseudonym: str
    reason: str


def sealed(keys: PseudonymKeys, pseudonym: str, name: str) -> bytes:
    """The name encrypted under a key for this use alone, bound to its pseudonym: nonce, then AES-256-GCM."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key(keys, pseudonym)).encrypt(nonce, name.encode("utf-8", "replace"), pseudonym.encode())


def opened(keys: PseudonymKeys, pseudonym: str, seal: bytes) -> str:
    """Raises SettingsInvalid if these are not the keys that encrypted it, or if it was altered."""
    try:
        name = AESGCM(_key(keys, pseudonym)).decrypt(seal[:_NONCE], seal[_NONCE:], pseudonym.encode())
    except (InvalidTag, ValueError):
        raise SettingsInvalid(
            f"the name of `{pseudonym}` cannot be opened with these keys, or was altered"
        ) from None
    return name.decode("utf-8", "replace")


def file_people(cursor: Cursor, keys: PseudonymKeys, people: Mapping[str, str]) -> None:
    """Add names by pseudonym, in the sink's transaction. Existing ones stay."""
    for pseudonym, name in people.items():
        cursor.execute(
            "INSERT INTO ledger.people (pseudonym, sealed_name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (pseudonym, sealed(keys, pseudonym, name)),
        )


def look(connection: Connection, keys: PseudonymKeys, pseudonym: str, reason: str) -> str:
    """The name behind a pseudonym. The look is recorded with login and reason, even if there is no name.

    Raises SettingsInvalid for an unknown pseudonym, or one that belongs to other keys.
    """
    query = text("SELECT ledger.look(:pseudonym, :reason)")
    found: Any = connection.execute(query, {"pseudonym": pseudonym, "reason": reason}).scalar_one()
    connection.commit()  # before the name is shown, and even if it cannot be
    if found is None:
        raise SettingsInvalid(
            f"the ledger has no name for `{shorten(pseudonym)}`; `ledger search` shows pseudonyms"
        )
    return opened(keys, pseudonym, bytes(found))


def looks(connection: Connection) -> list[Look]:
    """All looks, the newest first."""
    query = (
        "SELECT (extract(epoch FROM looked_at) * 1000)::bigint, login, pseudonym, reason "
        "FROM ledger.looks ORDER BY look_id DESC LIMIT 1000"
    )
    return [Look(*row) for row in connection.execute(text(query))]


def _key(keys: PseudonymKeys, pseudonym: str) -> bytes:
    """Derived from the key of the pseudonym, for this use alone."""
    key_id = pseudonym.partition(":")[0]
    if key_id not in keys.keys:
        raise SettingsInvalid(f"there is no key `{shorten(key_id)}` among the ledger's keys")
    return hmac.new(keys.keys[key_id], b"compat-guard names of people", hashlib.sha256).digest()
