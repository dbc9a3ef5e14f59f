"""The file of the keys that seal records: created, rotated, and read at the start of a process."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processors.documents.secrets import OTHERS, read_secret
from processors.stream.seals import KEY_SIZE, Seals


def new_seals() -> Seals:
    return Seals("k1", {"k1": secrets.token_bytes(KEY_SIZE)})


def with_new_key(seals: Seals) -> Seals:
    """One more key, which verifies but does not seal yet: every process must know it before any process uses it."""
    name = f"k{1 + max(_number(name) for name in seals.keys)}"
    return Seals(seals.current, {**seals.keys, name: secrets.token_bytes(KEY_SIZE)})


def with_newest_current(seals: Seals) -> Seals:
    """Make the newest key current. Older ones stay, to verify what they have sealed."""
    return Seals(max(seals.keys, key=_number), seals.keys)


def _number(name: str) -> int:
    return int(name[1:]) if name[1:].isdigit() else 0


def read_seals(path: Path) -> Seals:
    """Raises SettingsInvalid for a file that is missing, readable by everybody, or without such keys."""
    what, made_by = "holds no keys for seals", "compat-guard seals make"
    return read_secret(path, _parsed, closed_to=OTHERS, what=what, made_by=made_by)


def _parsed(raw: Mapping[str, Any]) -> Seals:
    keys = {str(name): base64.b64decode(key, validate=True) for name, key in raw["keys"].items()}
    if any(len(key) < KEY_SIZE or " " in name for name, key in keys.items()) or raw["current"] not in keys:
        raise ValueError
    return Seals(raw["current"], keys)


def render_seals(seals: Seals) -> str:
    keys = {name: base64.b64encode(key).decode() for name, key in seals.keys.items()}
    return json.dumps({"current": seals.current, "keys": keys}, indent=1)
