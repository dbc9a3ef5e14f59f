"""Avro schemas that are safe to decode with, and what they do to bytes. Pure: no registry, no wire format.

fastavro trusts its schemas: a recursive one overflows the C stack on a message of 5 kB, and an array of items of no
size takes a count of 2^31 at its word. So every schema is read here first, ours and foreign ones alike, and what
is not bounded by the size of a message is refused.

Logical types are dropped: times are plain integers, milliseconds since the epoch, everywhere in the guard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, cast

import fastavro
from fastavro import parse_schema

from processors.errors import DocumentRefused, EventUnreadable, shorten

schemaless_reader = cast("Callable[..., Any]", fastavro.schemaless_reader)  # pyright: ignore[reportUnknownMemberType]
schemaless_writer = cast("Callable[..., None]", fastavro.schemaless_writer)  # pyright: ignore[reportUnknownMemberType]

Json = Any
PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
DEEPEST = 32
"""Levels of nesting a schema may have."""
WIDEST = 10_000
"""Values that one record may hold when all its names are written out; a few names can stand for 2^64 of them."""


class Shape(NamedTuple):
    """What a type costs: whether a value may take no byte at all, and how many values it has, arrays as one."""

    empty: bool
    values: int


class _Reading:
    """One pass over a schema: full names, no logical types, nothing recursive, nothing unbounded."""

    def __init__(self) -> None:
        self.definitions: dict[str, Json] = {}
        self._shapes: dict[str, Shape] = {}
        self._open: set[str] = set()

    def read(self, schema: Json, space: str = "", depth: int = 0) -> tuple[Json, Shape]:
        if depth > DEEPEST:
            raise DocumentRefused("", f"a schema may be nested {DEEPEST} levels deep at most")
        if isinstance(schema, str):
            return self._name(schema, space)
        if isinstance(schema, list):
            return self._union(cast(list[Json], schema), space, depth)
        if not isinstance(schema, dict):
            raise DocumentRefused("", f"`{shorten(repr(schema))}` is not a schema")
        return self._compound(cast(dict[str, Json], schema), space, depth)

    def _name(self, name: str, space: str) -> tuple[Json, Shape]:
        if name in PRIMITIVES:
            return name, Shape(name == "null", 1)
        full = _full_name(name, space)
        if full in self._open:
            raise DocumentRefused("", f"type `{shorten(full)}` contains itself")
        if full not in self._shapes:
            raise DocumentRefused("", f"type `{shorten(full)}` is not defined")
        return full, self._shapes[full]

    def _union(self, branches: list[Json], space: str, depth: int) -> tuple[Json, Shape]:
        read = [self.read(branch, space, depth + 1) for branch in branches]
        return [plain for plain, _ in read], Shape(False, 1 + sum(shape.values for _, shape in read))

    def _compound(self, schema: dict[str, Json], space: str, depth: int) -> tuple[Json, Shape]:
        match schema.get("type"):
            case "array":
                items, shape = self.read(schema.get("items"), space, depth + 1)
                if shape.empty:
                    raise DocumentRefused("", "an array of items that take no bytes can claim any length")
                return {"type": "array", "items": items}, Shape(False, 1 + shape.values)
            case "map":
                values, shape = self.read(schema.get("values"), space, depth + 1)
                return {"type": "map", "values": values}, Shape(False, 1 + shape.values)
            case "record" | "enum" | "fixed":
                return self._define(schema, space, depth)
            case inner:
                return self.read(inner, space, depth + 1)

    def _define(self, schema: dict[str, Json], space: str, depth: int) -> tuple[Json, Shape]:
        name = _full_name(str(schema.get("name")), str(schema.get("namespace", space)))
        if name in self._shapes or name in self._open:
            raise DocumentRefused("", f"type `{shorten(name)}` is defined twice")
        self._open.add(name)
        keep = {key: schema[key] for key in ("type", "aliases", "symbols", "default", "size") if key in schema}
        shape = Shape(schema.get("size") == 0, 1)
        if schema["type"] == "record":
            keep["fields"], shape = self._fields(schema.get("fields"), name.rpartition(".")[0], depth)
        self._open.remove(name)
        self._shapes[name] = shape
        self.definitions[name] = {**keep, "name": name}
        return self.definitions[name], shape

    def _fields(self, fields: Json, space: str, depth: int) -> tuple[list[Json], Shape]:
        if not isinstance(fields, list):
            raise DocumentRefused("", "a record needs a list of fields")
        plain: list[Json] = []
        empty, values = True, 0
        for entry in cast(list[dict[str, Json]], fields):
            kind, shape = self.read(entry["type"], space, depth + 1)
            plain.append(
                {key: entry[key] for key in ("name", "default", "aliases") if key in entry} | {"type": kind}
            )
            empty, values = empty and shape.empty, values + shape.values
        if values > WIDEST:
            raise DocumentRefused("", f"a record may hold {WIDEST} values at most")
        return plain, Shape(empty, values)


def _full_name(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _written_out(schema: Json, definitions: Mapping[str, Json], seen: set[str]) -> Json:
    """A schema that stands by itself: every name is defined where it first occurs."""
    if isinstance(schema, str):
        if schema in PRIMITIVES or schema in seen:
            return schema
        return _written_out(definitions[schema], definitions, seen)
    if isinstance(schema, list):
        return [_written_out(branch, definitions, seen) for branch in cast(list[Json], schema)]
    whole = dict(cast(dict[str, Json], schema))
    if "name" in whole:
        if whole["name"] in seen:
            return whole["name"]
        seen.add(whole["name"])
    for key in ("items", "values"):
        if key in whole:
            whole[key] = _written_out(whole[key], definitions, seen)
    if "fields" in whole:
        whole["fields"] = [{**f, "type": _written_out(f["type"], definitions, seen)} for f in whole["fields"]]
    return whole


@dataclass(frozen=True, slots=True)
class Schema:
    """One event's schema. Its last field, the tail, can be read and written apart from the envelope before it.

    Avro writes fields one after the other without marks, so the bytes of the tail are what is left behind the
    envelope; equal tails have equal bytes.
    """

    name: str
    text: str = field(repr=False)
    """Compact JSON with the keys in the file's order: the text that `compat-guard topics apply` registers."""
    plain: Json = field(repr=False)
    """What decides how bytes are read. Equal for two schemas that differ in documentation or logical types only."""
    whole: Json = field(repr=False)
    envelope: Json = field(repr=False)
    tail: Json = field(repr=False)
    tail_name: str

    @classmethod
    def read(cls, text: str) -> Schema:
        """Raises DocumentRefused for what is not a record, is not valid Avro, or could exhaust the process."""
        reading = _Reading()
        try:
            raw = json.loads(text)
            plain, _ = reading.read(raw)
            compact = json.dumps(raw, separators=(",", ":"), ensure_ascii=False)
            return cls._of(compact, plain, reading.definitions)
        except DocumentRefused:
            raise
        except Exception as error:  # fastavro promises nothing narrower, and a stranger wrote the schema
            raise DocumentRefused("", f"not an Avro schema: {shorten(str(error))}") from error

    @classmethod
    def _of(cls, text: str, plain: Json, definitions: Mapping[str, Json]) -> Schema:
        if not isinstance(plain, dict) or not cast(Any, plain).get("fields"):
            raise DocumentRefused("", "an event is a record with at least one field")
        fields = cast(list[dict[str, Json]], plain["fields"])
        name = str(cast(Json, plain["name"]))
        envelope: Json = {"type": "record", "name": f"{name}Envelope", "fields": fields[:-1]}
        return cls(
            name=name.rpartition(".")[2],
            text=text,
            plain=plain,
            whole=parse_schema(_written_out(plain, definitions, set())),
            envelope=parse_schema(_written_out(envelope, definitions, set())),
            tail=parse_schema(_written_out(fields[-1]["type"], definitions, set())),
            tail_name=fields[-1]["name"],
        )

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """The body of an event. A missing or extra field is an error, not a default and not a loss."""
        return _encode(self.whole, record)

    def encode_envelope(self, envelope: Mapping[str, Any]) -> bytes:
        return _encode(self.envelope, envelope)

    def encode_tail(self, tail: Any) -> bytes:
        return _encode(self.tail, tail)

    def decode(self, body: bytes, writer: Schema | None = None) -> dict[str, Any]:
        """A record as this schema sees it, from bytes that `writer` (by default this schema) made.

        Raises:
            EventUnreadable: stage `body`. Nothing may be left over.
        """
        if writer is None or writer.plain == self.plain:
            return _decode(self.whole, None, body)
        return _decode(writer.whole, self.whole, body)

    def would_write(self, body: bytes) -> bool:
        """Whether an Avro writer makes these very bytes of what stands in them. Raises EventUnreadable."""
        record = self.decode(body)
        try:
            return self.encode(record) == body
        except Exception as error:
            raise _unreadable(error) from error

    def decode_tail(self, raw: bytes) -> Any:
        """Raises EventUnreadable, stage `body`, also when something is left over."""
        return _decode(self.tail, None, raw)

    def renewed_tail(self, raw: bytes) -> bytes:
        """A tail that was kept, as this schema writes it: fields may have been added to its end since.

        Raises EventUnreadable, stage `body`, for bytes of no earlier version that differs in more than that.
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
        """Without the last field, without the last two, and so on, as long as they may be missing."""
        tail = cast(dict[str, Any], self.tail)
        fields = cast(list[dict[str, Json]], tail.get("fields", []))
        for count in range(len(fields) - 1, 0, -1):
            if "default" not in fields[count]:
                return
            yield parse_schema({"type": "record", "name": tail["name"], "fields": fields[:count]})

    def split(self, value: bytes, start: int) -> tuple[dict[str, Any], bytes]:
        """Envelope and raw tail of a value whose body begins at `start`. The tail is not looked at.

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
    """Consecutive fields of an event, read and written apart from the others."""

    names: tuple[str, ...]
    schema: Json

    def encode(self, record: Mapping[str, Any]) -> bytes:
        return _encode(self.schema, record)

    def decode(self, raw: bytes) -> dict[str, Any]:
        return cast(dict[str, Any], _decode(self.schema, None, raw))


def field_run(schema: Schema, first: str, last: str) -> FieldRun:
    """The fields from `first` to `last`, both included, in the order of the schema."""
    reading = _Reading()
    plain, _ = reading.read(json.loads(schema.text))
    fields = cast("list[dict[str, Json]]", plain["fields"])
    names = [str(f["name"]) for f in fields]
    chosen = slice(names.index(first), names.index(last) + 1)
    record: Json = {"type": "record", "name": f"{plain['name']}From{first}", "fields": fields[chosen]}
    return FieldRun(tuple(names[chosen]), parse_schema(_written_out(record, reading.definitions, set())))


class Schemas(Mapping[str, Schema]):
    """The schemas of a folder by event name."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = dict(schemas)

    @classmethod
    def load(cls, folder: Path) -> Schemas:
        """Read every `.avsc` of a folder.

        Raises:
            DocumentRefused: one of them cannot be used, or its name is not that of its file.
        """
        schemas: dict[str, Schema] = {}
        for path in sorted(folder.glob("*.avsc")):
            try:
                schema = Schema.read(path.read_text(encoding="utf-8"))
            except DocumentRefused as error:
                raise DocumentRefused(path.name, str(error)) from error
            if schema.name != path.stem:
                raise DocumentRefused(path.name, f"holds `{schema.name}`; a schema is called like its file")
            schemas[schema.name] = schema
        return cls(schemas)

    def __getitem__(self, event: str) -> Schema:
        return self._schemas[event]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schemas)

    def __len__(self) -> int:
        return len(self._schemas)


def _encode(schema: Json, value: Any) -> bytes:
    target = BytesIO()
    schemaless_writer(target, schema, value, strict=True)
    return target.getvalue()


def _decode(writer: Json, reader: Json | None, body: bytes) -> Any:
    source = BytesIO(body)
    try:
        value = schemaless_reader(source, writer, reader)
    except Exception as error:  # whatever the decoder raises, the bytes and the schema are the writer's
        raise _unreadable(error) from error
    if source.tell() != len(body):
        raise EventUnreadable("body", f"{len(body) - source.tell()} bytes are left over behind the record")
    return value


def _unreadable(error: Exception) -> EventUnreadable:
    """The kind of failure only: the text of some of these errors quotes the bytes."""
    return EventUnreadable("body", f"the body does not fit its schema: {type(error).__name__}")
