"""From an event to its record: fields have the same names in the class and in the schema."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def fields_of(event: DataclassInstance, *but: str) -> dict[str, Any]:
    """Each field of an event except `but`, by name; tuples become lists.

    The encoder refuses a record that lacks a field of its schema, or has one more.
    """
    record: dict[str, Any] = {}
    for name in _names(type(event), but):
        value = getattr(event, name)
        record[name] = list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
    return record


@cache
def _names(kind: type[DataclassInstance], but: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in but)
