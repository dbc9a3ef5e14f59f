"""Our rules for schemas beyond valid Avro: they must be documented, able to grow, and safe to decode."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from processors.contracts.avro import (
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Primitive,
    Record,
    Schema,
    Union,
    join,
    parse,
    walk,
)
from processors.errors import ContractBroken

NAMESPACE = "compat"

_JSON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "bytes": str,
    "string": str,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the contract. `where` is a path: event, then field names."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def lint_schema(event: str, raw: object) -> list[Problem]:
    """Everything that is wrong with the schema of one event, given as parsed JSON. `event` is its file's stem."""
    try:
        schema = parse(raw)
    except ContractBroken as error:
        return [Problem(event, str(error))]
    problems = [problem for at, part in walk(schema, event) for problem in _lint(part, at)]
    if not isinstance(schema, Record):
        problems.append(Problem(event, "an event is a record"))
    elif schema.name != f"{NAMESPACE}.{event}":
        problems.append(Problem(event, f"expected the name `{NAMESPACE}.{event}`, found `{schema.name}`"))
    return list(dict.fromkeys(problems))


def lint_names(schemas: Mapping[str, Schema]) -> Iterator[Problem]:
    """Named types with different definitions in different events. `schemas` are by event."""
    first: dict[str, tuple[str, Schema]] = {}
    for event, schema in schemas.items():
        for part in {
            part.name: part for _, part in walk(schema) if isinstance(part, Record | Enum | Fixed)
        }.values():
            where, known = first.setdefault(part.name, (event, part))
            if (known, _docs(known)) != (part, _docs(part)):
                yield Problem(event, f"`{part.name}` is not the type of that name in {where}; rename one of them")


def _docs(schema: Schema) -> list[str]:
    """Every doc within a schema, since schemas compare without them."""
    parts = [part for _, part in walk(schema)]
    docs = [part.doc for part in parts if isinstance(part, Record | Enum)]
    return docs + [field.doc for part in parts if isinstance(part, Record) for field in part.fields]


def _lint(schema: Schema, at: str) -> Iterator[Problem]:
    match schema:
        case Record():
            yield from _lint_record(schema, at)
        case Enum():
            yield from _lint_enum(schema, at)
        case Array() if _is_empty(schema.items):
            yield Problem(at, "its items take no bytes, so five bytes could claim two billion of them")
        case Primitive() if schema.logical and (schema.name, schema.logical) != ("long", "timestamp-millis"):
            yield Problem(at, f"logical type `{schema.logical}` on {schema.name}; only timestamp-millis is in use")
        case _:
            pass


def _lint_record(record: Record, at: str) -> Iterator[Problem]:
    if not record.doc:
        yield Problem(at, f"record {record.name} has no doc")
    for field in record.fields:
        here = join(at, field.name)
        if not field.doc:
            yield Problem(here, "has no doc")
        if field.default is not None and not _fits(json.loads(field.default), field.type):
            yield Problem(here, _default_message(field))


def _default_message(field: Field) -> str:
    extra = "; the default of a union belongs to its first branch" if isinstance(field.type, Union) else ""
    return f"default `{field.default}` is not of its type{extra}"


def _lint_enum(enum: Enum, at: str) -> Iterator[Problem]:
    if not enum.doc:
        yield Problem(at, f"enum {enum.name} has no doc")
    if enum.default != "UNKNOWN" or "UNKNOWN" not in enum.symbols:
        yield Problem(
            at, f"enum {enum.name} needs the symbol UNKNOWN as its default, for readers older than a symbol"
        )


def _is_empty(schema: Schema) -> bool:
    """Whether a value takes no bytes at all."""
    match schema:
        case Primitive():
            return schema.name == "null"
        case Fixed():
            return schema.size == 0
        case Record():
            return all(_is_empty(field.type) for field in schema.fields)
        case _:
            return False


def _fits(value: object, schema: Schema) -> bool:  # noqa: PLR0911 - one return a kind of type
    """Whether a JSON value can be the default of a field of this schema."""
    match schema:
        case Primitive():
            exact = schema.name == "boolean" or not isinstance(value, bool)
            return exact and isinstance(value, _JSON_TYPES[schema.name])
        case Enum():
            return value in schema.symbols
        case Union():
            return bool(schema.branches) and _fits(value, schema.branches[0])
        case Array():
            return isinstance(value, list) and all(_fits(v, schema.items) for v in cast("list[object]", value))
        case Map():
            return isinstance(value, dict) and all(
                _fits(v, schema.values) for v in cast("dict[str, object]", value).values()
            )
        case Record():
            return isinstance(value, dict) and _fits_record(cast("dict[str, object]", value), schema)
        case Fixed():
            return isinstance(value, str) and len(value) == schema.size


def _fits_record(value: Mapping[str, object], record: Record) -> bool:
    return all(
        _fits(value[field.name], field.type) if field.name in value else field.default is not None
        for field in record.fields
    )
