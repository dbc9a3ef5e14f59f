"""An event's Avro schema as the JSON Schema (2020-12) of its record, as the HTTP contract shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

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


def json_schema(avro: Mapping[str, Any]) -> Json:
    """The schema of a record. Named types that occur again are repeated: our events have no recursion.

    Raises KeyError for what our events do not use, such as `bytes` and `fixed`.
    """
    return _of(avro, {})


def _of(avro: Any, named: dict[str, Json]) -> Json:
    if isinstance(avro, list):
        return {"anyOf": [_of(branch, named) for branch in cast("list[Any]", avro)]}
    if isinstance(avro, str):
        return dict(_PLAIN[avro]) if avro in _PLAIN else named[avro.rpartition(".")[2]]
    schema = cast("Mapping[str, Any]", avro)
    match schema["type"]:
        case "record":
            found = _record(schema, named)
        case "enum":
            found: Json = {"type": "string", "enum": list(schema["symbols"])}
        case "array":
            return {"type": "array", "items": _of(schema["items"], named)}
        case "map":
            return {"type": "object", "additionalProperties": _of(schema["values"], named)}
        case other:
            return _of(other, named)
    named[schema["name"]] = found
    return found


def _record(schema: Mapping[str, Any], named: dict[str, Json]) -> Json:
    fields: list[Mapping[str, Any]] = schema["fields"]
    return {
        "type": "object",
        "description": schema.get("doc", ""),
        "properties": {f["name"]: {**_of(f["type"], named), "description": f.get("doc", "")} for f in fields},
        "required": [f["name"] for f in fields],
    }
