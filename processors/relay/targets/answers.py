"""What an HTTP response means for a delivery. Pure."""

from __future__ import annotations

from http import HTTPStatus

from processors.outbound.retry_after import milliseconds
from processors.relay.delivery import Reception, Reply

_LATER = frozenset({408, 425, 429})
"""Client errors that are temporary (RFC 9110, RFC 8470, RFC 6585)."""


def reply_to(status: int, retry_after: str | None, now: int) -> Reply:
    """Only 2xx is success. A redirect is a refusal: the configured address is the only one that is used.

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


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
