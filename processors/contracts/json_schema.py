"""An event's Avro schema as the JSON Schema (2020-12) of its record, as the HTTP contract shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from processors.contracts.avro import Array, Enum, Fixed, Map, Primitive, Record, Schema, Union

Json = dict[str, Any]

_PLAIN: Final[Mapping[str, Json]] = {
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer"},
    "long": {"type": "integer"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "string": {"type": "string"},
}


def json_schema(avro: Schema) -> Json:
    """The schema of an event. Named types that occur again are repeated: our events have no recursion.

    Raises KeyError for the types that our events do not use, `bytes` and `fixed`.
    """
    return _of(avro, {})


def _of(avro: Schema, named: dict[str, Json]) -> Json:
    """`named` are the types met so far, so that YAML may write each once."""
    match avro:
        case Primitive() | Fixed():
            return dict(_PLAIN[avro.name])
        case Array():
            return {"type": "array", "items": _of(avro.items, named)}
        case Map():
            return {"type": "object", "additionalProperties": _of(avro.values, named)}
        case Union():
            return {"anyOf": [_of(branch, named) for branch in avro.branches]}
        case Enum():
            return named.setdefault(avro.name, {"type": "string", "enum": list(avro.symbols)})
        case Record():
            if avro.name not in named:
                named[avro.name] = _of_record(avro, named)
            return named[avro.name]


def _of_record(record: Record, named: dict[str, Json]) -> Json:
    return {
        "type": "object",
        "description": record.doc,
        "properties": {f.name: {**_of(f.type, named), "description": f.doc} for f in record.fields},
        "required": [f.name for f in record.fields],
    }
