"""Writes an event as a record of its topic: bytes under a registered schema, its key, and the CloudEvents
headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from processors.events.kinds import EventKind
from processors.stream.types import Headers, Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import EventHeaders


class Event(Protocol):
    """The interface of those classes of `processors.events` that are written to a topic."""

    @property
    def id(self) -> str: ...

    @property
    def key(self) -> str: ...

    def record(self) -> Mapping[str, Any]:
        """As its schema defines it, without a tail that is encoded separately."""
        ...


class EventWriter:
    """Writes events of one kind from one source.

    `at` is milliseconds since the epoch; `cause` are the headers of the record that is answered. Raises as an
    Encoder does.
    """

    def __init__(self, codec: Codec, kind: EventKind, source: str) -> None:
        self._topic, self._headers = kind.topic, EventHeaders(kind.type, source)
        self._encode = codec.encoder(kind.topic, kind.schema)
        self.tail, self.renewed = self._encode.tail, self._encode.renewed

    def __call__(self, event: Event, at: int, cause: Headers = ()) -> Outbound:
        return self._record(event, self._encode(event.record()), at, cause)

    def joined(self, event: Event, tail: bytes, at: int, cause: Headers = ()) -> Outbound:
        """With the bytes of its last field, which `tail` made, here or where the field was first written."""
        return self._record(event, self._encode.join(event.record(), tail), at, cause)

    def _record(self, event: Event, value: bytes, at: int, cause: Headers) -> Outbound:
        return Outbound(self._topic, event.key.encode(), value, self._headers(event.id, at, cause))
