"""What an HTTP answer means for a delivery. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from processors.relay.delivery import Reception, Reply

_LATER = frozenset({408, 425, 429})
"""Client errors that say `not now` (RFC 9110, RFC 8470, RFC 6585)."""


def reply_to(status: int, retry_after: str | None, now: int) -> Reply:
    """Only 2xx is success. A redirect is a refusal: a target is where its configuration says, and nowhere else.

    `now` is in milliseconds since the epoch, for a Retry-After that is a date.
    """
    message = f"{status} {_phrase(status)}".strip()
    if 200 <= status < 300:
        return Reply(Reception.ACCEPTED, message)
    if status in (401, 403):
        return Reply(Reception.UNAUTHORIZED, message)
    if status == 410:
        return Reply(Reception.GONE, message)
    if status in _LATER or status >= 500 or status < 200:
        return Reply(Reception.FAILED, message, milliseconds(retry_after, now))
    return Reply(Reception.REFUSED, message)


def milliseconds(retry_after: str | None, now: int) -> int | None:
    """A Retry-After header, as seconds or as a date; None for one that is missing, past or says nothing."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return int(text) * 1000
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    wait = int((at - datetime.fromtimestamp(now / 1000, UTC)).total_seconds() * 1000)
    return wait if wait > 0 else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
