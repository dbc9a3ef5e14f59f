"""Strict JSON: for documents too large for YAML, and for settings inside events.

Duplicate keys, NaN, infinities and oversized numbers are refused, which Python's reader would accept silently.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

from processors.documents.scalars import WrittenFloat, WrittenInt, unprintable, utf8
from processors.errors import DocumentRefused, shorten

LIMIT: Final = 512 * 1024 * 1024
"""Bytes."""


def load(text: bytes | str, *, limit: int = LIMIT) -> Any:
    """The value; numbers keep their original text. Raises DocumentRefused."""
    content = utf8(text, limit)
    try:
        value = json.loads(
            content,
            object_pairs_hook=_unique,
            parse_int=WrittenInt.read,
            parse_float=WrittenFloat.read,
            parse_constant=_no_constant,
        )
        _refuse_unprintable("", value)
    except json.JSONDecodeError as error:
        raise DocumentRefused(f"line {error.lineno}", f"this is not JSON: {error.msg.lower()}") from None
    except RecursionError:
        raise DocumentRefused("", "expected JSON of ordinary depth, found nesting without end") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise DocumentRefused("", f"the key `{shorten(twice)}` occurs twice in one object; keep one of them")
    for key, value in pairs:
        _refuse_unprintable(key, key)
        _refuse_unprintable(key, value)
    return mapping


def _refuse_unprintable(key: str, value: Any) -> None:
    """A text, or texts inside lists; those of objects were checked while reading."""
    if isinstance(value, str):
        if unprintable(value):
            raise DocumentRefused(shorten(key), "expected text, found control characters or half a character")
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            _refuse_unprintable(key, item)


def _no_constant(name: str) -> Any:
    raise DocumentRefused("", f"expected a number, found `{name}`")
