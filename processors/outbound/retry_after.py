"""The Retry-After header of a response. Pure."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from processors.documents.instants import utc


def milliseconds(retry_after: str | None, now: int) -> int | None:
    """A Retry-After header, as seconds or as a date; None if it is missing, past or invalid."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return int(text) * 1000
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    wait = int((at - utc(now)).total_seconds() * 1000)
    return wait if wait > 0 else None
