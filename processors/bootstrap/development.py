"""Keys and four people for one machine, so that the whole workflow can be tried without setting up an issuer.

Created on first use, stored in a folder of the user, and marked: they are refused if the broker is not on loopback.
`GUARD_DEVELOPMENT` names another folder.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from processors.bootstrap.seal_keys import new_seals, render_seals
from processors.documents.secrets import make_once
from processors.errors import SettingsInvalid
from processors.exception_workflow.proof.keys import DEVELOPMENT
from processors.trust.keys import new_signing_key

ISSUER = "urn:compat-guard:development"
PEOPLE = {
    "petra": ["plugin-steward"],
    "sabine": ["security-approver"],
    "samir": ["security-approver"],
    "lena": ["security-lead", "platform-lead"],
}


@dataclass(frozen=True, slots=True)
class Tool:
    """What an approval tool needs: its key, its name, and its users with their roles."""

    issuer: str
    key: ECKey
    people: dict[str, list[str]]


def folder() -> Path:
    chosen = os.environ.get("GUARD_DEVELOPMENT")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(chosen) if chosen else data / "compat-guard" / "development"


def jwks_path() -> Path:
    """The public key, created if it is missing."""
    tool()
    return folder() / "jwks.json"


def seal_keys_path() -> Path:
    """The keys that seal records between the processors of this machine, created if they are missing."""
    place = folder() / "seals.json"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_once(place, render_seals(new_seals()))
    return place


def signing_key_path() -> Path:
    """The private key that publishes matrices and policies from this machine, created if it is missing."""
    place = folder() / "publisher.json"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_once(place, new_signing_key("development", development=True))
    return place


def tool() -> Tool:
    """The reference approval tool of this machine."""
    place = folder()
    private = place / "private.json"
    if not private.exists():
        _make(place, private)
    try:
        key = ECKey.import_key(json.loads(private.read_text()))
        people: dict[str, list[str]] = json.loads((place / "people.json").read_text())
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"the development key in `{place}` cannot be read: {error}; remove the folder"
        ) from None
    return Tool(ISSUER, key, people)


def _make(place: Path, private: Path) -> None:
    """Public parts first, the private key last and atomically: two processes that start together end with one
    pair."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ECKey.generate_key("P-256", {"kid": f"development-{secrets.token_hex(4)}"})
    public: dict[str, Any] = {**key.as_dict(private=False), DEVELOPMENT: True}
    if not make_once(private, json.dumps(key.as_dict(private=True))):
        return
    (place / "people.json").write_text(json.dumps(PEOPLE, indent=2))
    (place / "jwks.json").write_text(json.dumps({"keys": [public]}, indent=2))
