"""Files with secrets: read only if nobody else can read them, written atomically and for the owner alone."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from processors.errors import SettingsInvalid

T = TypeVar("T")

OTHERS: Final = 0o007
"""The permissions of others, who are neither the owner nor in the owner's group."""

GROUP_AND_OTHERS: Final = 0o077


def read_secret(path: Path, parse: Callable[[Any], T], *, closed_to: int, what: str, made_by: str) -> T:
    """The result of `parse` for the JSON in a file. `made_by` is the command that creates such a file.

    Raises SettingsInvalid for a file that is missing, readable by others, or without the expected content `what`.
    """
    try:
        if path.stat().st_mode & closed_to:
            who = "everybody" if closed_to == OTHERS else "others"
            raise SettingsInvalid(f"`{path}` can be read by {who}; allow it to its owner only (chmod 600)")
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        return parse(raw)
    except FileNotFoundError:
        raise SettingsInvalid(f"`{path}` is not there; make it with `{made_by} {path}`") from None
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be opened: {(error.strerror or 'unknown error').lower()}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SettingsInvalid(f"`{path}` {what}; `{made_by}` makes some") from None


def replace_file(path: Path, text: str) -> None:
    """Write a secret completely or not at all, readable by the owner only."""
    beside = _draft(path, text)
    beside.replace(path)


def make_once(path: Path, text: str) -> bool:
    """The same, unless the file exists: of several simultaneous attempts exactly one succeeds."""
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
