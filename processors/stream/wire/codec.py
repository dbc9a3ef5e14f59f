"""Events as bytes on a topic: a zero byte, the id of the writer's schema, the Avro body (Confluent's wire format).

Schema ids are looked up and never registered on the fly, and only schemas registered for the topic's own subject
(`<topic>-value`) are accepted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from processors.errors import DocumentRefused, EventUnreadable, shorten
from processors.stream.types import LARGEST_VALUE
from processors.stream.wire.schema import Schema, Schemas, tail_part
from processors.stream.wire.spans import Cutter, Run

_PREFIX = struct.Struct(">bI")
PREFIX_SIZE = _PREFIX.size


class Registry(Protocol):
    """Looks up schema ids. Both methods may raise RegistryUnavailable: a pause, never a dead letter."""

    def id_of(self, subject: str, text: str) -> int:
        """Raises ContractBroken if this schema is not registered under the subject."""
        ...

    def writer(self, subject: str, schema_id: int) -> str:
        """The text of a schema. Raises EventUnreadable (stage `schema`) if the subject has none with that id."""
        ...


class Codec:
    """Creates encoders and decoders, one for each event of a topic, which share what they learn about writers.

    The registry is needed only when the first of their records arrives.
    """

    def __init__(self, schemas: Schemas, registry: Registry) -> None:
        self.schemas = schemas
        self._registry = registry
        self._encoders: dict[tuple[str, str], Encoder] = {}
        self._decoders: dict[tuple[str, str, bool], Decoder] = {}

    def speaking(self, schemas: Schemas) -> Codec:
        """The same with other schemas, and ids from the same registry."""
        return Codec(schemas, self._registry)

    def encoder(self, topic: str, event: str) -> Encoder:
        known = self._encoders.get((topic, event))
        if known is None:
            known = self._encoders[topic, event] = Encoder(self.schemas[event], subject_of(topic), self._registry)
        return known

    def decoder(self, topic: str, event: str, *, canonical: bool = False) -> Decoder:
        """`canonical` also refuses bytes that no encoder would have written, such as a negative enum index; for
        events whose bytes are signed or hashed. It costs an encoding."""
        known = self._decoders.get((topic, event, canonical))
        if known is None:
            known = Decoder(self.schemas[event], subject_of(topic), self._registry, canonical=canonical)
            self._decoders[topic, event, canonical] = known
        return known


def subject_of(topic: str) -> str:
    return f"{topic}-value"


class Encoder:
    """Writes one event to one topic. Raises ContractBroken if its schema is not registered there."""

    def __init__(self, schema: Schema, subject: str, registry: Registry) -> None:
        self._schema, self._subject, self._registry = schema, subject, registry
        self._prefix = b""
        self.tail = schema.encode_tail
        self.renewed = schema.renewed_tail

    @property
    def is_ready(self) -> bool:
        """Whether it can write without asking the registry first."""
        return bool(self._prefix)

    def __call__(self, record: Mapping[str, Any]) -> bytes:
        return (self._prefix or self.look_up()) + self._schema.encode(record)

    def join(self, envelope: Mapping[str, Any], tail: bytes) -> bytes:
        """The event of this envelope and a tail that `tail` encoded before: the same bytes as encoding both."""
        return (self._prefix or self.look_up()) + self._schema.encode_envelope(envelope) + tail

    def assemble(self, *pieces: bytes) -> bytes:
        """The event whose fields, in order, are these pieces. Their bytes are not checked."""
        return (self._prefix or self.look_up()) + b"".join(pieces)

    def run(self, first: str, last: str) -> Run:
        """Consecutive fields as a piece for `assemble`."""
        return Run(self._schema, first, last)

    def look_up(self) -> bytes:
        """Ask the registry for the id of the schema; return the first bytes of every event."""
        self._prefix = _PREFIX.pack(0, self._registry.id_of(self._subject, self._schema.text))
        return self._prefix


class Decoder:
    """Reads one event from one topic, resolved to our schema, whoever wrote it."""

    def __init__(self, schema: Schema, subject: str, registry: Registry, *, canonical: bool = False) -> None:
        self._schema, self._subject, self._registry, self._canonical = schema, subject, registry, canonical
        self._writers: dict[bytes, Schema] = {}
        self._ours: set[bytes] = set()
        self.tail = schema.decode_tail

    def __call__(self, value: bytes | None) -> dict[str, Any]:
        """The whole record.

        Raises:
            EventUnreadable: `stage` is `tombstone`, `size`, `wire`, `schema` or `body`.
            RegistryUnavailable: the writer's schema is not known here yet, and the registry does not answer.
        """
        value = _checked(value)
        writer, body = self._writer(value[:PREFIX_SIZE]), value[PREFIX_SIZE:]
        if self._canonical and not writer.would_write(body):
            raise EventUnreadable("body", "the bytes are not what an Avro writer makes of this record")
        return self._schema.decode(body, writer)

    def split(self, value: bytes | None) -> tuple[dict[str, Any], bytes]:
        """The envelope, and the raw bytes of the last field for `tail`, which checks them.

        Equal tails give equal bytes. Fast if the writer used our schema; else the tail is encoded again. Raises as
        a call does.
        """
        if value is not None and value[:PREFIX_SIZE] in self._ours and len(value) <= LARGEST_VALUE:
            return self._schema.split(value, PREFIX_SIZE)
        record = self(value)
        tail = record.pop(self._schema.tail_name)
        try:
            return record, self._schema.encode_tail(tail)
        except Exception as error:
            why = f"the last field cannot be written in our schema: {type(error).__name__}"
            raise EventUnreadable("body", why) from error

    def cutter(self, *behind: str) -> Callable[[bytes | None], list[bytes] | None]:
        """Cuts values after the named fields of the envelope, the tail last; None if one must be decoded."""
        cut = Cutter(self._schema, behind)

        def pieces(value: bytes | None) -> list[bytes] | None:
            if value is None or value[:PREFIX_SIZE] not in self._ours or len(value) > LARGEST_VALUE:
                return None
            return cut(value, PREFIX_SIZE)

        return pieces

    def part(self, name: str) -> Callable[[Any], bytes]:
        """Writes one field of the tail, or one item of it if that is an array, in our schema."""
        return tail_part(self._schema, name)

    def knows_writer(self, value: bytes) -> bool:
        """Whether a value can be read without asking the registry first."""
        return value[:PREFIX_SIZE] in self._writers

    def learn_writer(self, value: bytes) -> None:
        """Ask the registry for the schema of a value. Raises as a call does."""
        self._learn(_checked(value)[:PREFIX_SIZE])

    def is_ours(self, value: bytes) -> bool:
        """Whether a value that has been read was written in exactly our schema, so that its fields are encoded
        like ours."""
        return value[:PREFIX_SIZE] in self._ours

    def run(self, first: str, last: str) -> Run:
        """Consecutive fields as encoded in a piece that a cutter has cut."""
        return Run(self._schema, first, last)

    def _writer(self, prefix: bytes) -> Schema:
        writer = self._writers.get(prefix)
        return writer if writer is not None else self._learn(prefix)

    def _learn(self, prefix: bytes) -> Schema:
        magic, schema_id = _PREFIX.unpack(prefix)
        if magic != 0:
            raise EventUnreadable(
                "wire", f"the first byte is {magic % 256}, and Confluent's wire format begins with 0"
            )
        try:
            writer = Schema.read(self._registry.writer(self._subject, schema_id))
            self._writers[prefix] = writer
        except DocumentRefused as error:
            raise EventUnreadable("schema", f"schema {schema_id} is not safe to read with: {error}") from error
        if writer.plain == self._schema.plain:
            self._ours.add(prefix)
        return writer


def _checked(value: bytes | None) -> bytes:
    if value is None:
        raise EventUnreadable("tombstone", "a tombstone stands where an event was expected")
    if len(value) > LARGEST_VALUE:
        raise EventUnreadable("size", f"the value has {len(value)} bytes, at most {LARGEST_VALUE} are read")
    if len(value) < PREFIX_SIZE:
        raise EventUnreadable("wire", f"{len(value)} bytes are too few for magic byte and schema id")
    return value


class OfflineRegistry:
    """Ids without a server, for data that never leaves this process: checks on the command line, tests,
    measurements."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, int], str] = {}

    def register(self, subject: str, text: str) -> int:
        for (known, schema_id), held in self._texts.items():
            if (known, held) == (subject, text):
                return schema_id
        schema_id = len(self._texts) + 1
        self._texts[subject, schema_id] = text
        return schema_id

    def id_of(self, subject: str, text: str) -> int:
        return self.register(subject, text)

    def writer(self, subject: str, schema_id: int) -> str:
        try:
            return self._texts[subject, schema_id]
        except KeyError:
            raise EventUnreadable(
                "schema", f"schema {schema_id} is not registered under `{shorten(subject)}`"
            ) from None
