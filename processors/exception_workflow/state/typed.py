"""Reads typed values from JSON, where named tuples are lists: a value of another form is refused, not believed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

Read = Callable[[Any], Any]


class Misshapen(ValueError):
    """A value that does not have the form of its type."""


def reader_of(kind: Any) -> Read:
    """Reads values of `kind`: int, str, bool, a string enumeration, a named tuple of such, `tuple` of any number
    of such, or one of them or None. The reader raises Misshapen."""
    if get_origin(kind) in (Union, UnionType):
        (some,) = (option for option in get_args(kind) if option is not type(None))
        read = reader_of(some)
        return lambda value: None if value is None else read(value)
    if get_origin(kind) is tuple:
        item = reader_of(get_args(kind)[0])
        return lambda value: tuple(map(item, _list(value)))
    if issubclass(kind, StrEnum):
        return partial(_symbol, kind)
    if issubclass(kind, tuple):
        return _record_reader(kind)
    return partial(_plain, kind)


def fields_of(kind: Any) -> dict[str, Read]:
    """The readers of the fields of a named tuple, by name and in order."""
    hints = get_type_hints(kind)
    return {name: reader_of(hints[name]) for name in kind._fields}


def _record_reader(kind: Any) -> Read:
    reads = tuple(fields_of(kind).values())
    required = len(reads) - len(kind._field_defaults)

    def read(value: Any) -> Any:
        parts = _list(value)
        if not required <= len(parts) <= len(reads):
            raise Misshapen(f"{kind.__name__} has {len(reads)} parts, not {len(parts)}")
        return kind(*[one(part) for one, part in zip(reads, parts, strict=False)])

    return read


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise Misshapen("expected a list")
    return cast("list[Any]", value)


def _symbol(kind: type[StrEnum], value: Any) -> StrEnum:
    symbol = kind.__members__.get(value) if type(value) is str else None
    if symbol is None:
        raise Misshapen(f"{kind.__name__} has no such symbol")
    return symbol


def _plain(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise Misshapen(f"expected {kind.__name__}")
    return value
