"""Basic validation of records, and the order in which they are judged."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processors.errors import EventUnreadable, shorten
from processors.stream.types import Headers, Inbound

LONGEST_ID = 512
"""The most characters of an id or a name."""

LONGEST_HEADERS = 32_768
"""The most bytes of headers that are passed on."""

_TEXTS = frozenset({"risk_statement", "reason", "proof", "decision"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def in_order(batch: Sequence[Inbound]) -> Iterator[Inbound]:
    """The records in the order in which the broker took them, across topics.

    Records of one partition, and records with the same time, keep their order.
    """
    logs: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for place, record in enumerate(batch):
        logs.setdefault((record.topic, record.partition), []).append((record.timestamp, place))
    return (batch[place] for _, place in heapq.merge(*logs.values()))


def require_uuid(exception_id: str) -> None:
    """Raises EventUnreadable.

    A use may name anything, and gets an answer. A record that may create an exception must have a UUID as its id.
    """
    if _UUID.fullmatch(exception_id) is None:
        raise EventUnreadable("envelope", f"`{shorten(exception_id)}` is not the id of an exception")


def require_short(record: Mapping[str, Any]) -> None:
    """Raises EventUnreadable for an id or name that is too long to be stored or to be a key.

    Texts are bounded where they are judged.
    """
    for name, value in record.items():
        if isinstance(value, str) and len(value) > LONGEST_ID and name not in _TEXTS:
            what = f"`{name}` has {len(value)} characters, at most {LONGEST_ID} are read"
            raise EventUnreadable("envelope", what)


def headers_to_pass(record: Inbound) -> Headers:
    """The headers of a record that is passed on unchanged; none if they are too large.

    Losing a trace is better than losing the record.
    """
    size = sum(len(name.encode()) + len(content or b"") for name, content in record.headers)
    return tuple(record.headers) if size <= LONGEST_HEADERS else ()
