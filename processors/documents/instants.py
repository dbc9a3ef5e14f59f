"""Instants as dates. Any writer of a topic can state one that no calendar has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

LATEST: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, in milliseconds since the epoch."""


def utc(milliseconds: int) -> datetime:
    """The date of milliseconds since the epoch. Instants before 1970 and after 9999 are the first and the last."""
    seconds, rest = divmod(min(max(milliseconds, 0), LATEST), 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
