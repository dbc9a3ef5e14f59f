"""CloudEvents in Kafka's binary binding, and the trace of a request.

`ce_id ce_type ce_source ce_time ce_specversion` as the CloudEvents Kafka protocol binding 1.0 names them, and
`traceparent` as in W3C Trace Context, which is passed on from a record to everything that it leads to.
"""

from __future__ import annotations

import secrets
from functools import lru_cache

from processors.documents.instants import utc
from processors.stream.types import Headers

TRACEPARENT = "traceparent"

LONGEST_TRACEPARENT = 256
"""The most bytes of a trace header.

The standard needs 55 and lets later versions append; a longer one is not passed on.
"""


class EventHeaders:
    """The headers of one type of event. The constant ones are created once."""

    __slots__ = ("_source", "_type")

    def __init__(self, type: str, source: str) -> None:
        self._type = ("ce_type", type.encode())
        self._source = ("ce_source", source.encode())

    def __call__(self, id: str, time: int, cause: Headers = ()) -> tuple[tuple[str, bytes | None], ...]:
        """`time` is milliseconds since the epoch; `cause` are the headers of the record that this one answers."""
        own = (_VERSION, ("ce_id", id.encode()), self._type, self._source, ("ce_time", _time(time)), _CONTENT)
        for header in cause:
            if header[0] == TRACEPARENT and len(header[1] or b"") <= LONGEST_TRACEPARENT:
                return (*own, header)
        return own


_VERSION = ("ce_specversion", b"1.0")
_CONTENT = ("content-type", b"application/avro")


def event_headers(
    *, id: str, type: str, source: str, time: int, cause: Headers = ()
) -> tuple[tuple[str, bytes | None], ...]:
    """Headers of an event.

    `time` is milliseconds since the epoch; `cause` are those of the record that it answers.
    """
    return EventHeaders(type, source)(id, time, cause)


def header(headers: Headers, name: str) -> str | None:
    """The last header of that name as text; None if it is missing or not UTF-8."""
    for key, value in reversed(headers):
        if key == name and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def new_trace() -> tuple[str, bytes]:
    """A `traceparent` header that begins a sampled trace."""
    return (TRACEPARENT, f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01".encode())


def trace_id(headers: Headers) -> str | None:
    """The trace that a record belongs to; None if it names none."""
    parts = (header(headers, TRACEPARENT) or "").split("-")
    return parts[1] if len(parts) >= 4 and len(parts[1]) == 32 else None


@lru_cache(maxsize=64)
def _time(milliseconds: int) -> bytes:
    """Cached: one batch has one time."""
    return rfc3339(milliseconds).encode()


def rfc3339(milliseconds: int) -> str:
    """An instant in RFC 3339 with milliseconds, UTC. Instants outside the calendar are clamped to its ends."""
    return utc(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
