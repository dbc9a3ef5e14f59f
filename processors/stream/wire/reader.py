"""Reads records of a topic as typed events: the counterpart of `writer.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from processors.errors import EventUnreadable
from processors.events.exceptions import ExceptionDecided, exception_decided_from_record
from processors.events.kinds import EXCEPTION_DECIDED, EventKind
from processors.stream.wire.codec import Codec

E = TypeVar("E")
Read = Callable[[bytes | None], E]
"""From the value of a record to its event. Raises as a Decoder does."""


def event_reader(codec: Codec, kind: EventKind, typed: Callable[[Mapping[str, Any]], E]) -> Read[E]:
    """Reads events of one kind, whoever wrote them."""
    decode = codec.decoder(kind.topic, kind.schema)
    return lambda value: typed(decode(value))


def decision_reader(codec: Codec) -> Read[ExceptionDecided]:
    """Reads what the workflow has decided about exceptions."""
    return event_reader(codec, EXCEPTION_DECIDED, exception_decided_from_record)


def lenient(read: Read[E]) -> Callable[[bytes | None], E | None]:
    """As `read`, but gives None for what cannot be read: anybody who may write a topic may write junk."""

    def read_or_skip(value: bytes | None) -> E | None:
        try:
            return read(value)
        except EventUnreadable:
            return None

    return read_or_skip
