"""Canonical JSON, one text for each value, and the digest of bytes.

RFC 8785 as far as events need it: sorted keys, no spaces, UTF-8, integers. Events have no floats: two writers may
format a float differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from json.encoder import JSONEncoder
from typing import Any, cast

import orjson


def _other(value: Any) -> Any:
    """Converts values that orjson cannot represent."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):  # a named one
        return list(cast("tuple[Any, ...]", value))
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    raise TypeError(f"{type(value).__name__} has no canonical form")


_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def canonical(value: Any) -> str:
    """The one JSON text of a value of text, integers, booleans, null, lists and mappings with text keys.

    Bytes become lower-case hex. Raises TypeError for anything else; callers must not pass floats.
    """
    try:
        return orjson.dumps(value, default=_other, option=_OPTIONS).decode()
    except TypeError:
        return _UNBOUNDED.encode(value)


_UNBOUNDED = JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_other
)
"""Writes the same text, and also integers of more than 64 bits, deep nesting and invalid Unicode; slowly."""


def canonical_with(record: Mapping[str, Any], name: str, text: str) -> str:
    """The canonical text of `record` plus one more field, whose canonical text is given.

    No record in it may have a field of that name; within a text, its quotes would be escaped.
    """
    return canonical({**record, name: None}).replace(f'"{name}":null', f'"{name}":{text}', 1)


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 lower-case hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
