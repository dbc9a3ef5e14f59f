"""Canonical JSON, one text for one value, and the digest of bytes.

RFC 8785 as far as events need it: sorted keys, no spaces, UTF-8, integers. No event has floats; meeting one is a
mistake, because two writers may print it differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from json.encoder import c_make_encoder, encode_basestring  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from typing import Any, cast


def _of_bytes(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no canonical form")


# JSONEncoder.encode makes such an encoder for every call, which takes longer than most of our texts.
_chunks = cast(
    "Callable[[Any, int], Iterable[str]]",
    c_make_encoder(None, _of_bytes, encode_basestring, None, ":", ",", True, False, False),
)


def canonical(value: Any) -> str:
    """The one JSON text of a value of text, integers, booleans, null, lists and mappings with text keys.

    Bytes become lower-case hex. Raises TypeError for anything else; floats the caller must not hand in.
    """
    return "".join(_chunks(value, 0))


def canonical_with(record: Mapping[str, Any], name: str, text: str) -> str:
    """The canonical text of `record` and one more field, whose canonical text is there already.

    No record in it may have a field of that name; in a text its quotes would be escaped.
    """
    return canonical({**record, name: None}).replace(f'"{name}":null', f'"{name}":{text}', 1)


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 lower-case hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
