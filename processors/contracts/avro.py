"""An Avro schema as typed, resolved values: names are looked up, spelling differences are removed.

Two equivalent schemas compare equal, whether a named type is defined in place or by reference, in whatever order
the JSON keys are, and whatever their docs say, since none of that affects readers. Aliases are not read: with
FULL_TRANSITIVE nothing is ever renamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from processors.errors import ContractBroken, shorten

Json = Any
PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


@dataclass(frozen=True, slots=True)
class Primitive:
    name: str
    logical: str = ""


@dataclass(frozen=True, slots=True)
class Fixed:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    doc: str = field(compare=False)
    symbols: tuple[str, ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class Array:
    items: Schema


@dataclass(frozen=True, slots=True)
class Map:
    values: Schema


@dataclass(frozen=True, slots=True)
class Union:
    branches: tuple[Schema, ...]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    doc: str = field(compare=False)
    type: Schema
    default: str | None
    """The default as JSON text; None if the field has none (a default of null is the text `null`)."""
    masking: str = field(default="", compare=False)
    """The masking of the field in the ledger and logs, as `masking` states; empty if nothing is stated."""


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    doc: str = field(compare=False)
    fields: tuple[Field, ...]


Schema = Primitive | Fixed | Enum | Array | Map | Union | Record

_Named = TypeVar("_Named", Record, Enum, Fixed)
_Value = TypeVar("_Value")


def parse(raw: object) -> Schema:
    """The schema of a parsed JSON document. Names are full names; the namespace of the enclosing type is inherited.

    Raises:
        ContractBroken: it is no Avro schema, refers to an unknown name, defines a name twice, or is recursive.
            The message says where, as a path of field names. Recursion is refused because a small message can
            nest so deep that a decoder written in C overflows its stack.
    """
    try:
        return _Parser().schema(raw, at="", namespace="")
    except RecursionError:
        raise ContractBroken("the schema nests too deep to be read") from None


def walk(schema: Schema, at: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema within this one, itself first, each with its path."""
    yield at, schema
    match schema:
        case Record():
            for each in schema.fields:
                yield from walk(each.type, join(at, each.name))
        case Array():
            yield from walk(schema.items, f"{at}[]")
        case Map():
            yield from walk(schema.values, f"{at}{{}}")
        case Union():
            for branch in schema.branches:
                yield from walk(branch, at)
        case _:
            pass


def written(schema: Schema) -> Json:
    """A schema as self-contained JSON: full names, each defined at its first use.

    It contains only what decides how bytes are read: no docs, and no logical types.
    """
    return _written(schema, set())


def _written(schema: Schema, known: set[str]) -> Json:  # noqa: PLR0911 - one return a kind of type
    match schema:
        case Primitive():
            return schema.name
        case Array():
            return {"type": "array", "items": _written(schema.items, known)}
        case Map():
            return {"type": "map", "values": _written(schema.values, known)}
        case Union():
            return [_written(branch, known) for branch in schema.branches]
        case Record() | Enum() | Fixed() if schema.name in known:
            return schema.name
        case Fixed():
            known.add(schema.name)
            return {"type": "fixed", "name": schema.name, "size": schema.size}
        case Enum():
            known.add(schema.name)
            default = {} if schema.default is None else {"default": schema.default}
            return {"type": "enum", "name": schema.name, "symbols": list(schema.symbols), **default}
        case Record():
            known.add(schema.name)
            fields = [_written_field(each, known) for each in schema.fields]
            return {"type": "record", "name": schema.name, "fields": fields}


def _written_field(field: Field, known: set[str]) -> Json:
    default = {} if field.default is None else {"default": json.loads(field.default)}
    return {"name": field.name, "type": _written(field.type, known), **default}


def kind(schema: Schema) -> str:
    """The type of a schema: `int`, `array`, `enum compat.Band`."""
    match schema:
        case Primitive():
            return schema.name
        case Record() | Enum() | Fixed():
            return f"{type(schema).__name__.lower()} {schema.name}"
        case _:
            return type(schema).__name__.lower()


def join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


class _Parser:
    """One pass over a document, which remembers names. `None` marks a name whose definition is not finished."""

    def __init__(self) -> None:
        self._names: dict[str, Schema | None] = {}

    def schema(self, raw: object, at: str, namespace: str) -> Schema:
        if isinstance(raw, str):
            return Primitive(raw) if raw in PRIMITIVES else self._named(raw, at, namespace)
        if isinstance(raw, list):
            return Union(tuple(self.schema(branch, at, namespace) for branch in cast("list[object]", raw)))
        if not isinstance(raw, dict):
            raise _broken(at, f"expected a schema, found `{shorten(repr(raw))}`")
        return self._complex(cast("dict[str, Any]", raw), at, namespace)

    def _complex(  # noqa: PLR0911 - one return a kind of type
        self, raw: Mapping[str, Any], at: str, namespace: str
    ) -> Schema:
        match raw.get("type"):
            case "record":
                return self._record(raw, at, namespace)
            case "enum":
                name = self._open(raw, at, namespace)
                symbols = tuple(_listed(raw, "symbols", str, at))
                return self._close(
                    name, Enum(name, _text(raw, "doc", at), symbols, _text(raw, "default", at) or None)
                )
            case "fixed":
                name = self._open(raw, at, namespace)
                return self._close(name, Fixed(name, _needed(raw, "size", int, at)))
            case "array":
                return Array(self.schema(raw.get("items"), f"{at}[]", namespace))
            case "map":
                return Map(self.schema(raw.get("values"), f"{at}{{}}", namespace))
            case str() as name if name in PRIMITIVES:
                return Primitive(name, _text(raw, "logicalType", at))
            case other:
                return self.schema(other, at, namespace)

    def _record(self, raw: Mapping[str, Any], at: str, namespace: str) -> Record:
        name = self._open(raw, at, namespace)
        inner = name.rpartition(".")[0]
        fields: list[Field] = []
        for each in cast("list[dict[str, Any]]", _listed(raw, "fields", dict, at)):
            here = join(at, _needed(each, "name", str, at))
            default = json.dumps(each["default"], sort_keys=True) if "default" in each else None
            of = self.schema(each.get("type"), here, inner)
            fields.append(Field(each["name"], _text(each, "doc", here), of, default, _text(each, "masking", here)))
        return self._close(name, Record(name, _text(raw, "doc", at), tuple(fields)))

    def _named(self, name: str, at: str, namespace: str) -> Schema:
        full = _full(name, namespace)
        if full not in self._names:
            raise _broken(at, f"there is no type `{shorten(name)}`: it is not defined before it is used")
        found = self._names[full]
        if found is None:
            raise _broken(at, f"`{full}` contains itself; a recursive schema is never accepted")
        return found

    def _open(self, raw: Mapping[str, Any], at: str, namespace: str) -> str:
        name = _full(
            _needed(raw, "name", str, at), _text(raw, "namespace", at) if "namespace" in raw else namespace
        )
        if name in self._names:
            raise _broken(at, f"`{name}` is defined twice; refer to it by name")
        self._names[name] = None
        return name

    def _close(self, name: str, schema: _Named) -> _Named:
        self._names[name] = schema
        return schema


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _needed(raw: Mapping[str, Any], key: str, of: type[_Value], at: str) -> _Value:
    value = raw.get(key)
    if not isinstance(value, of):
        raise _broken(
            at, f"expected `{key}` to be a {of.__name__}{_OF.get(key, '')}, found `{shorten(repr(value))}`"
        )
    return value


_OF: Final[Mapping[str, str]] = {"fields": " of fields", "symbols": " of symbols"}


def _listed(raw: Mapping[str, Any], key: str, of: type[_Value], at: str) -> list[_Value]:
    values = cast("list[_Value]", _needed(raw, key, list, at))
    for value in values:
        if not isinstance(value, of):
            raise _broken(at, f"expected each of `{key}` to be a {of.__name__}, found `{shorten(repr(value))}`")
    return values


def _text(raw: Mapping[str, Any], key: str, at: str) -> str:
    """What need not be there; empty where it is not."""
    return _needed(raw, key, str, at) if raw.get(key) is not None else ""


def _broken(at: str, why: str) -> ContractBroken:
    return ContractBroken(f"{at or 'the schema'}: {why}")
