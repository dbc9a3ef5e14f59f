"""The name under which a browser saves an answer (RFC 6266). It is made of ids, which callers choose."""

from __future__ import annotations

from urllib.parse import quote

LONGEST = 80
"""Characters."""


def attachment(stem: str, ending: str) -> dict[str, str]:
    """The header for a file of this name. Of the stem, letters, digits and hyphens of any script stay.

    A header is ASCII: other letters are in `filename*`, and `filename` is for programs that do not know that.
    """
    name = "".join(c for c in stem if c.isalnum() or c == "-")[:LONGEST]
    plain = "".join(c for c in name if c.isascii())
    further = "" if plain == name else f"; filename*=UTF-8''{quote(f'{name}.{ending}', safe='')}"
    return {"Content-Disposition": f'attachment; filename="{plain}.{ending}"{further}'}
