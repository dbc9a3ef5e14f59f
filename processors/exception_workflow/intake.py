"""What a record must be before anybody judges it, and which one is judged first."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processors.errors import EventUnreadable, shorten
from processors.stream.types import Headers, Inbound

LONGEST_ID = 512
"""Characters of an id or a name."""

LONGEST_HEADERS = 32_768
"""Bytes."""

_TEXTS = frozenset({"risk_statement", "reason", "proof", "decision"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def in_order(batch: Sequence[Inbound]) -> Iterator[Inbound]:
    """The records as the broker took them, across topics.

    Those of one partition stay in their order, and so do those of one moment.
    """
    logs: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for place, record in enumerate(batch):
        logs.setdefault((record.topic, record.partition), []).append((record.timestamp, place))
    return (batch[place] for _, place in heapq.merge(*logs.values()))


def require_uuid(exception_id: str) -> None:
    """Raises EventUnreadable.

    A use may name anything and is answered; what could come to be an exception must be called like one.
    """
    if _UUID.fullmatch(exception_id) is None:
        raise EventUnreadable("envelope", f"`{shorten(exception_id)}` is not the id of an exception")


def require_short(record: Mapping[str, Any]) -> None:
    """Raises EventUnreadable for an id or name too long to be remembered, or to be a key.

    Texts are bounded where they are judged.
    """
    for name, value in record.items():
        if isinstance(value, str) and len(value) > LONGEST_ID and name not in _TEXTS:
            what = f"`{name}` has {len(value)} characters, at most {LONGEST_ID} are read"
            raise EventUnreadable("envelope", what)


def headers_to_pass(record: Inbound) -> Headers:
    """The headers of a record that is sent on as it is; none where they are too large.

    A trace is worth less than the record.
    """
    size = sum(len(name.encode()) + len(content or b"") for name, content in record.headers)
    return tuple(record.headers) if size <= LONGEST_HEADERS else ()
