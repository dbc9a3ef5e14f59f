"""The masking of each field, as stated in schemas/*.avsc.

Masking depends on the name of a field, whatever event it is in, so a name is masked the same way everywhere. A
field that cannot contain text, such as a number or an enum, needs no statement. A text without a statement is
hidden completely.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from processors.contracts.avro import Array, Field, Fixed, Map, Primitive, Record, Schema, Union, parse, walk
from processors.documents.shipped import shipped
from processors.errors import ContractBroken

CLEAR = "clear"


@cache
def stated_by_shipped() -> Mapping[str, str]:
    """The masking of each field of the shipped schemas, by its name."""
    files = sorted(shipped("schemas").glob("*.avsc"))
    return stated(parse(json.loads(file.read_text("utf-8"))) for file in files)


def stated(schemas: Iterable[Schema]) -> Mapping[str, str]:
    """The same for any schemas. Raises ContractBroken for a name with two kinds of masking."""
    found: dict[str, str] = {}
    silent: set[str] = set()
    for field in _fields(schemas):
        if not field.masking:
            if not _holds_text(field.type):
                silent.add(field.name)
        elif found.setdefault(field.name, field.masking) != field.masking:
            raise ContractBroken(
                f"`{field.name}` is masked as {found[field.name]} and as {field.masking}; a name is masked in one "
                "way, so state the same, or choose another name"
            )
    return dict.fromkeys(silent, CLEAR) | found


def _fields(schemas: Iterable[Schema]) -> Iterator[Field]:
    for schema in schemas:
        for _, part in walk(schema):
            if isinstance(part, Record):
                yield from part.fields


def _holds_text(schema: Schema) -> bool:
    """Whether a value may have text in it that is in no field of its own."""
    match schema:
        case Primitive():
            return schema.name in ("string", "bytes")
        case Array():
            return _holds_text(schema.items)
        case Union():
            return any(map(_holds_text, schema.branches))
        case Map() | Fixed():
            return True
        case _:
            return False
