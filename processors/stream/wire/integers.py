"""Refuses integers that Avro's `int` cannot hold.

fastavro reads an `int` like a `long`: 64 bits from whoever writes so many bytes. What stores the number, such as an
integer column of a database, relies on 32.
"""

from __future__ import annotations

from typing import Any, Final, cast

from fastavro import read as fastavro_read

_CHECKED: Final = "guard-int32"
"""A logical type for schemas that never leave this process: fastavro calls its reader for each value."""


def with_checked_integers(schema: Any) -> Any:
    """The schema, as `contracts.avro.written` returns it, for reading: integers beyond 32 bits raise ValueError."""
    match schema:
        case "int":
            return {"type": "int", "logicalType": _CHECKED}
        case list():
            return [with_checked_integers(branch) for branch in cast("list[Any]", schema)]
        case {"type": "array", "items": items}:
            return {"type": "array", "items": with_checked_integers(items)}
        case {"type": "map", "values": values}:
            return {"type": "map", "values": with_checked_integers(values)}
        case {"type": "record", "fields": fields}:
            checked = [{**field, "type": with_checked_integers(field["type"])} for field in fields]
            return {**cast("dict[str, Any]", schema), "fields": checked}
        case _:
            return schema


def _within_32_bits(value: int, *_: Any) -> int:
    if -0x8000_0000 <= value <= 0x7FFF_FFFF:
        return value
    raise ValueError("an int has 32 bits")


_readers = cast("dict[str, Any]", fastavro_read.LOGICAL_READERS)  # pyright: ignore[reportUnknownMemberType]
_readers[f"int-{_CHECKED}"] = _within_32_bits
