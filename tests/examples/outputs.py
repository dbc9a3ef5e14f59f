"""JSON of commands, held against the schema that is published of it."""

from __future__ import annotations

import json
from typing import Any, cast

from jsonschema_rs import Draft202012Validator

from processors.cli.json_outputs import LINES, schema_of


def valid(command: str, written: str) -> Any:
    """What a command wrote, which must be as its schema says, with no field that the schema does not name."""
    validator = Draft202012Validator(closed(schema_of(command)), validate_formats=True)
    values = [json.loads(line) for line in written.splitlines()] if command in LINES else [json.loads(written)]
    for value in values:
        for error in validator.iter_errors(value):
            where = "/".join(map(str, error.instance_path))
            raise AssertionError(f"{command}: {where}: {error.message}"[:2000])
    return values if command in LINES else values[0]


def closed(schema: Any) -> Any:
    """The schema where nothing else may stand: what is added has to be written down."""
    if isinstance(schema, list):
        return [closed(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    parts = cast("dict[str, Any]", schema)
    inner = {name: closed(part) for name, part in parts.items()}
    named = isinstance(parts.get("properties"), dict) and "additionalProperties" not in parts
    return {**inner, "additionalProperties": False} if named else inner
