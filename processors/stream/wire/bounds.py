"""Which Avro schemas are safe to decode with: those whose values are bounded by the size of a message. Pure.

fastavro trusts its schemas: for an array of items of size zero it believes a count of 2^31, and a few names can
stand for 2^64 values. A recursive schema overflows its stack on a message of 5 kB; parsing refuses it already.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from processors.contracts.avro import Array, Fixed, Map, Primitive, Record, Schema, Union
from processors.errors import DocumentRefused

DEEPEST: Final = 32
"""The most levels of nesting of a schema."""

WIDEST: Final = 10_000
"""The most values of one record with all its names expanded."""


class Cost(NamedTuple):
    """Whether a value of a type may take no bytes at all, and how many values it has, arrays counted as one."""

    empty: bool
    values: int


def require_bounded(schema: Schema) -> None:
    """Raises DocumentRefused."""
    _cost(schema, {}, 0)


def _cost(schema: Schema, known: dict[str, Cost], depth: int) -> Cost:
    """`known` are the records that were visited: each is computed once, however often it occurs."""
    if depth > DEEPEST:
        raise DocumentRefused("", f"a schema may be nested {DEEPEST} levels deep at most")
    match schema:
        case Array():
            items = _cost(schema.items, known, depth + 1)
            if items.empty:
                raise DocumentRefused("", "an array of items that take no bytes can claim any length")
            return Cost(False, 1 + items.values)
        case Map():
            return Cost(False, 1 + _cost(schema.values, known, depth + 1).values)
        case Union():
            return Cost(False, 1 + sum(_cost(branch, known, depth + 1).values for branch in schema.branches))
        case Record():
            if schema.name not in known:
                known[schema.name] = _cost_of_record(schema, known, depth)
            return known[schema.name]
        case Fixed():
            return Cost(schema.size == 0, 1)
        case _:
            return Cost(schema == Primitive("null"), 1)


def _cost_of_record(record: Record, known: dict[str, Cost], depth: int) -> Cost:
    fields = [_cost(field.type, known, depth + 1) for field in record.fields]
    values = sum(field.values for field in fields)
    if values > WIDEST:
        raise DocumentRefused("", f"a record may hold {WIDEST} values at most")
    return Cost(all(field.empty for field in fields), values)
