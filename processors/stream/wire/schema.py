"""Encodes and decodes events by Avro schemas: whole, or the last field separately. Pure: no registry, no wire
format.

Every schema, ours or foreign, is parsed and bounded before fastavro sees it. Logical types are dropped: times are
plain integers, milliseconds since the epoch, everywhere in the guard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, cast

import fastavro
from fastavro import parse_schema

from processors.contracts import avro
from processors.errors import ContractBroken, DocumentRefused, EventUnreadable, shorten
from processors.stream.wire.bounds import require_bounded
from processors.stream.wire.integers import with_checked_integers

schemaless_reader = cast("Callable[..., Any]", fastavro.schemaless_reader)  # pyright: ignore[reportUnknownMemberType]
schemaless_writer = cast("Callable[..., None]", fastavro.schemaless_writer)  # pyright: ignore[reportUnknownMemberType]

Json = Any


@dataclass(frozen=True, slots=True)
class Schema:
    """One event's schema. Its last field, the tail, can be read and written separately from the envelope before it.

    Avro writes fields one after the other without separators, so the bytes of the tail are those after the
    envelope; equal tails have equal bytes.
    """

    name: str
    text: str = field(repr=False)
    """Compact JSON with the keys in the file's order: the text that `compat-guard topics apply` registers."""
    model: avro.Record = field(repr=False)
    plain: Json = field(repr=False)
    """Everything that decides how bytes are read.

    Equal for schemas that differ in documentation or logical types only.
    """
    whole: Json = field(repr=False)
    envelope: Json = field(repr=False)
    tail: Json = field(repr=False)
    tail_name: str

    @classmethod
    def read(cls, text: str) -> Schema:
        """Raises DocumentRefused for what is not a record, is not valid Avro, or could exhaust the process."""
        try:
            raw = json.loads(text)
            model = avro.parse(raw)
            require_bounded(model)
            compact = json.dumps(raw, separators=(",", ":"), ensure_ascii=False)
            return cls._of(compact, model)
        except DocumentRefused:
            raise
        except ContractBroken as error:
            raise DocumentRefused("", f"not an Avro schema: {error}") from error
        except Exception as error:  # fastavro documents no narrower error, and the schema is foreign
            raise DocumentRefused("", f"not an Avro schema: {shorten(str(error))}") from error

    @classmethod
    def load(cls, file: Path) -> Schema:
        """From an `.avsc` file that is named after its schema.

        Raises:
            DocumentRefused: it cannot be used, or its name is not that of its file.
        """
        try:
            schema = _once(file.read_text(encoding="utf-8"))
        except DocumentRefused as error:
            raise DocumentRefused(file.name, str(error)) from error
        if schema.name != file.stem:
            raise DocumentRefused(file.name, f"holds `{schema.name}`; a schema must have the name of its file")
        return schema

    @classmethod
    def _of(cls, text: str, model: avro.Schema) -> Schema:
        if not isinstance(model, avro.Record) or not model.fields:
            raise DocumentRefused("", "an event is a record with at least one field")
        plain, tail = avro.written(model), model.fields[-1]
        return cls(
            name=model.name.rpartition(".")[2],
            text=text,
            model=model,
            plain=plain,
            whole=_parsed(model),
            envelope=_parsed(avro.Record(f"{model.name}Envelope", "", model.fields[:-1])),
            tail=_parsed(tail.type),
            tail_name=tail.name,
        )

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """The body of an event. A missing or extra field is an error: it is neither filled in nor dropped."""
        return _encode(self.whole, record)

    def encode_envelope(self, envelope: Mapping[str, Any]) -> bytes:
        return _encode(self.envelope, envelope)

    def encode_tail(self, tail: Any) -> bytes:
        return _encode(self.tail, tail)

    def decode(self, body: bytes, writer: Schema | None = None) -> dict[str, Any]:
        """A record resolved to this schema, from bytes that `writer` (by default this schema) made.

        Raises:
            EventUnreadable: stage `body`. No bytes may be left over.
        """
        if writer is None or writer.plain == self.plain:
            return _decode(self.whole, None, body)
        return _decode(writer.whole, self.whole, body)

    def would_write(self, body: bytes) -> bool:
        """Whether an Avro writer encodes their content as these very bytes. Raises EventUnreadable."""
        record = self.decode(body)
        try:
            return self.encode(record) == body
        except Exception as error:
            raise _unreadable(error) from error

    def decode_tail(self, raw: bytes) -> Any:
        """Raises EventUnreadable, stage `body`, also if bytes are left over."""
        return _decode(self.tail, None, raw)

    def renewed_tail(self, raw: bytes) -> bytes:
        """A stored tail, encoded in the present schema: fields may have been added to its end since.

        Raises EventUnreadable, stage `body`, for bytes of no earlier version that differs only in that.
        """
        try:
            self.decode_tail(raw)
        except EventUnreadable:
            for earlier in self._earlier_tails():
                try:
                    return self.encode_tail(_decode(earlier, self.tail, raw))
                except EventUnreadable:
                    continue
            raise
        return raw

    def _earlier_tails(self) -> Iterator[Json]:
        """Without the last field, without the last two, and so on, as long as they are optional."""
        tail = self.model.fields[-1].type
        if not isinstance(tail, avro.Record):
            return
        for count in range(len(tail.fields) - 1, 0, -1):
            if tail.fields[count].default is None:
                return
            yield _parsed(avro.Record(tail.name, "", tail.fields[:count]))

    def split(self, value: bytes, start: int) -> tuple[dict[str, Any], bytes]:
        """Envelope and raw tail of a value whose body begins at `start`. The tail is not checked.

        Raises:
            EventUnreadable: stage `body`.
        """
        source = BytesIO(value)
        source.seek(start)
        try:
            envelope = cast(dict[str, Any], schemaless_reader(source, self.envelope, None))
        except Exception as error:  # as in `_decode`
            raise _unreadable(error) from error
        return envelope, value[source.tell() :]


class FieldRun(NamedTuple):
    """Consecutive fields of an event, read and written separately from the others."""

    names: tuple[str, ...]
    schema: Json

    def encode(self, record: Mapping[str, Any]) -> bytes:
        return _encode(self.schema, record)

    def decode(self, raw: bytes) -> dict[str, Any]:
        return cast(dict[str, Any], _decode(self.schema, None, raw))


def field_run(schema: Schema, first: str, last: str) -> FieldRun:
    """The fields from `first` to `last`, both included, in the order of the schema."""
    names = [field.name for field in schema.model.fields]
    chosen = slice(names.index(first), names.index(last) + 1)
    record = avro.Record(f"{schema.model.name}From{first}", "", schema.model.fields[chosen])
    return FieldRun(tuple(names[chosen]), _parsed(record))


def tail_part(schema: Schema, name: str) -> Callable[[Any], bytes]:
    """Writes one field of the tail as encoded there; of an array, one item."""
    tail = schema.model.fields[-1].type
    if not isinstance(tail, avro.Record):
        raise ContractBroken(f"the last field of `{schema.name}` is no record")
    kind = next(part.type for part in tail.fields if part.name == name)
    part = _parsed(kind.items if isinstance(kind, avro.Array) else kind)
    return lambda value: _encode(part, value)


@lru_cache(maxsize=64)
def _once(text: str) -> Schema:
    """Each thread has a codec of its own, all from the same few files, and to read a schema takes milliseconds."""
    return Schema.read(text)


class Schemas(Mapping[str, Schema]):
    """The schemas of a folder by event name."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = dict(schemas)

    @classmethod
    def load(cls, folder: Path) -> Schemas:
        """Every `.avsc` of a folder. Raises as `Schema.load` does."""
        return cls({file.stem: Schema.load(file) for file in sorted(folder.glob("*.avsc"))})

    @classmethod
    def first_released(cls, folder: Path) -> Schemas:
        """Each event in the schema of its first release; events without a release in today's schema.

        Raises as `load` does.
        """
        firsts = sorted((folder / "released").glob("*/1.avsc"))
        schemas = {path.parent.name: Schema.read(path.read_text("utf-8")) for path in firsts}
        return cls({**cls.load(folder), **schemas})

    def __getitem__(self, event: str) -> Schema:
        return self._schemas[event]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schemas)

    def __len__(self) -> int:
        return len(self._schemas)


def _parsed(schema: avro.Schema) -> Json:
    return parse_schema(with_checked_integers(avro.written(schema)))


def _encode(schema: Json, value: Any) -> bytes:
    target = BytesIO()
    schemaless_writer(target, schema, value, strict=True)
    return target.getvalue()


def _decode(writer: Json, reader: Json | None, body: bytes) -> Any:
    source = BytesIO(body)
    try:
        value = schemaless_reader(source, writer, reader)
    except Exception as error:  # whatever the decoder raises is caused by the writer's bytes and schema
        raise _unreadable(error) from error
    if source.tell() != len(body):
        raise EventUnreadable("body", f"{len(body) - source.tell()} bytes are left over behind the record")
    return value


def _unreadable(error: Exception) -> EventUnreadable:
    """Only the kind of failure: the text of some of these errors quotes the bytes."""
    return EventUnreadable("body", f"the body does not fit its schema: {type(error).__name__}")
