"""The file of the keys that seal records: made, rotated, and read at the start of a process."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processors.errors import SettingsInvalid
from processors.stream.seals import KEY_SIZE, Seals


def new_seals() -> Seals:
    return Seals("k1", {"k1": secrets.token_bytes(KEY_SIZE)})


def with_new_key(seals: Seals) -> Seals:
    """One more key, which verifies and does not seal yet: every process must know it before any process uses it."""
    name = f"k{1 + max(_number(name) for name in seals.keys)}"
    return Seals(seals.current, {**seals.keys, name: secrets.token_bytes(KEY_SIZE)})


def with_newest_current(seals: Seals) -> Seals:
    """The newest key seals. Older ones stay, for what they have sealed."""
    return Seals(max(seals.keys, key=_number), seals.keys)


def _number(name: str) -> int:
    return int(name[1:]) if name[1:].isdigit() else 0


def read_seals(path: Path) -> Seals:
    """Raises SettingsInvalid for a file that is missing, open to everybody, or holds no such keys."""
    try:
        if path.stat().st_mode & 0o007:
            raise SettingsInvalid(f"`{path}` can be read by everybody; allow it to its owner only (chmod 600)")
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        return _parsed(raw)
    except FileNotFoundError:
        raise SettingsInvalid(f"`{path}` is not there; make it with `compat-guard seals make {path}`") from None
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be opened: {(error.strerror or 'unknown error').lower()}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SettingsInvalid(f"`{path}` holds no keys for seals; `compat-guard seals make` makes some") from None


def _parsed(raw: Mapping[str, Any]) -> Seals:
    keys = {str(name): base64.b64decode(key, validate=True) for name, key in raw["keys"].items()}
    if any(len(key) < KEY_SIZE or " " in name for name, key in keys.items()) or raw["current"] not in keys:
        raise ValueError
    return Seals(raw["current"], keys)


def render_seals(seals: Seals) -> str:
    keys = {name: base64.b64encode(key).decode() for name, key in seals.keys.items()}
    return json.dumps({"current": seals.current, "keys": keys}, indent=1)


def replace_file(path: Path, text: str) -> None:
    """Write a secret whole or not at all, for the owner only."""
    beside = _draft(path, text)
    beside.replace(path)


def make_once(path: Path, text: str) -> bool:
    """The same, unless the file is there: of several that try at once exactly one makes it, and is told so."""
    beside = _draft(path, text)
    try:
        os.link(beside, path)
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    return True


def _draft(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return beside
