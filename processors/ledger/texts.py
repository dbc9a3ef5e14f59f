"""Which texts the database may have: Postgres takes none with a NUL or half a surrogate pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from processors.errors import TextRefused, shorten

_SURROGATES: Final = ("\ud800", "\udfff")


def refuse_unkept(values: Any) -> None:
    """Raise TextRefused for the first text in the parameters of a statement that no row can have."""
    if isinstance(values, str):
        if (found := _unkept(values)) is not None:
            raise TextRefused(
                f"`{shorten(values)}` has the character U+{ord(found):04X}, which no text of the ledger has; "
                "leave it out"
            )
    elif isinstance(values, Mapping):
        refuse_unkept(cast("Mapping[str, Any]", values).values())
    elif isinstance(values, Iterable) and not isinstance(values, bytes | bytearray | memoryview):
        for value in cast("Iterable[Any]", values):
            refuse_unkept(value)


def _unkept(text: str) -> str | None:
    if text.isascii() and "\0" not in text:
        return None
    return next((c for c in text if c == "\0" or _SURROGATES[0] <= c <= _SURROGATES[1]), None)
